# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for sonde. sonde itself knows what there is: commands, tools and their options, probes.

function __sonde_complete
	set -l words (commandline -opc)
	sonde complete $words[2..-1] (commandline -ct) 2>/dev/null
end

# Where sonde offers nothing a file is meant.
complete -c sonde -n 'count (__sonde_complete) >/dev/null' -f
complete -c sonde -a '(__sonde_complete)'
