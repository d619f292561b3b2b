# SPDX-License-Identifier: GPL-2.0-or-later
# Macros of the compiler (cc -E -dM) to the rows of the table of system calls, sorted by name.
# Numbers stay macros, because some are defined by others; a bound or a base is not a system call.
$1 == "#define" && $2 ~ /^__NR_[a-z0-9_]+$/ {
	name = substr($2, 6)
	if (name != "syscalls" && name !~ /^arch_specific/)
		names[++n] = name
}
END {
	for (i = 2; i <= n; i++) {
		name = names[i]
		for (j = i - 1; j > 0 && names[j] > name; j--)
			names[j + 1] = names[j]
		names[j + 1] = name
	}
	for (i = 1; i <= n; i++)
		printf "{ \"%s\", __NR_%s },\n", names[i], names[i]
}
