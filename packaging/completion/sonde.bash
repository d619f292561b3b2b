# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for sonde. sonde itself knows what there is: commands, tools and their options, probes.

_sonde()
{
	local line=${COMP_LINE:0:COMP_POINT} word prefix candidate
	local -a words candidates

	# bash takes : and = for ends of words, which they are not here.
	read -ra words <<<"$line"
	[[ $line == *[[:space:]] ]] && words+=("")
	word=${words[-1]}
	mapfile -t candidates < <(sonde complete "${words[@]:1}" 2>/dev/null | cut -f 1)
	prefix=${word%"${word##*[:=]}"}
	COMPREPLY=()
	for candidate in "${candidates[@]}"; do
		[[ $candidate == *[:=] ]] && compopt -o nospace
		COMPREPLY+=("${candidate#"$prefix"}")
	done
}

# Where sonde offers nothing a file is meant.
complete -o bashdefault -o default -F _sonde sonde
