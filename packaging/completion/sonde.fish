# SPDX-License-Identifier: GPL-2.0-or-later
# fish completion for sonde

function __sonde_probes
	sonde -l (commandline -ct)'*' 2>/dev/null | head -n 500
end

function __sonde_listing
	string match -qr -- '^-[a-z]*l' (commandline -opc)
end

complete -c sonde -s e -x -d 'ask this program instead of a file'
complete -c sonde -s c -x -a '(__fish_complete_command)' -d 'run this command when everything is attached'
complete -c sonde -s p -x -a '(__fish_complete_pids)' -d 'only this process'
complete -c sonde -l unsafe -d 'allow functions that change the machine or a process'
complete -c sonde -s f -l view -x -a '(sonde help views 2>/dev/null | string sub -s 3 -l 22 | string trim)' -d 'how to show it'
complete -c sonde -s o -r -d 'write the output to this file'
complete -c sonde -s B -x -a 'full line none' -d 'when to write'
complete -c sonde -s q -d 'only the answer'
complete -c sonde -l no-warnings -d 'do not show warnings'
complete -c sonde -s l -d 'list the probes that match a pattern'
complete -c sonde -l info -d 'show what this kernel and this build can do'
complete -c sonde -s h -l help -d 'show help'
complete -c sonde -s V -l version -d 'show the version'
complete -c sonde -s v -d 'say more'
complete -c sonde -s d -x -a 'ast types ir ir-opt bpf elf all' -d 'print a stage of the compilation'
complete -c sonde -l dry-run -d 'compile, load and attach, then end'
complete -c sonde -n '__sonde_listing' -f -a '(__sonde_probes)'
complete -c sonde -n '__fish_is_first_token' -a build -d 'compile a program into a standard BPF object'
complete -c sonde -n '__fish_is_first_token' -a help -d 'explain a command, a function or a topic'
complete -c sonde -n '__fish_is_first_token' -a version -d 'show the version'
