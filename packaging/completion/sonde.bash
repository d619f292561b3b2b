# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for sonde

_sonde_probes()
{
	# Parts of a probe are separated by colons, which bash takes for word breaks.
	local IFS=$'\n' word=$1
	mapfile -t COMPREPLY < <(sonde -l "${word}*" 2>/dev/null | head -n 500)
	if declare -F __ltrim_colon_completions >/dev/null; then
		__ltrim_colon_completions "$word"
	fi
}

_sonde()
{
	local cur prev words cword
	if declare -F _get_comp_words_by_ref >/dev/null; then
		_get_comp_words_by_ref -n : cur prev words cword
	else
		cur=${COMP_WORDS[COMP_CWORD]}
		prev=${COMP_WORDS[COMP_CWORD-1]}
		cword=$COMP_CWORD
	fi

	case $prev in
	-l | -lv | -vl)
		_sonde_probes "$cur"
		return
		;;
	-f | --view)
		mapfile -t COMPREPLY < <(compgen -W "$(sonde help views 2>/dev/null | cut -c3-24)" -- "$cur")
		return
		;;
	-B)
		mapfile -t COMPREPLY < <(compgen -W 'full line none' -- "$cur")
		return
		;;
	-d)
		mapfile -t COMPREPLY < <(compgen -W 'ast types ir ir-opt bpf elf all' -- "$cur")
		return
		;;
	-p)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && printf '%s\n' [0-9]*)" -- "$cur")
		return
		;;
	-c)
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		return
		;;
	-e)
		return
		;;
	help)
		mapfile -t COMPREPLY < <(compgen -W 'options commands functions environment exit-status build version' -- "$cur")
		return
		;;
	esac

	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W '-e -c -p -f -o -B -q -l -h -V -v -d --unsafe --no-warnings
			--info --help --version --dry-run' -- "$cur")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	if ((cword == 1)); then
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W 'build help version' -- "$cur")
	fi
}

complete -o filenames -F _sonde sonde
