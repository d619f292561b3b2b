#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Java program that waits until it is told to go on: keytool of the Java runtime asks for a password, then makes two
# keys that belong together, which makes garbage, or one of another kind, which is done soon.
#   jvm.sh begin DIRECTORY much|little [OPTION OF THE VIRTUAL MACHINE]...    start it, and wait until it waits
#   jvm.sh attach DIRECTORY                                      have it start the thread that others attach to
#   jvm.sh go DIRECTORY                                          answer, and wait for its end
set -e
what=$1 dir=$2
shift 2

# until FILE PATTERN
until_said() {
	for _ in $(seq 600); do
		grep -q "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	cat "$1" >&2
	return 1
}

case $what in
begin)
	rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" && mkfifo in
	case $1 in
	much) does="-genkeypair -keyalg RSA -keysize 1024 -dname CN=sonde" ;;
	little) does="-genseckey -keyalg AES -keysize 128 -J-Dkeystore.pkcs12.keyPbeIterationCount=10
		-J-Dkeystore.pkcs12.macIterationCount=10" ;;
	esac
	shift
	options=
	for o in "$@"; do options="$options -J$o"; done
	# shellcheck disable=SC2086
	(exec 7<>in; LC_ALL=C exec keytool -J-XX:+UseSerialGC -J-Xmn1m -J-Xlog:gc:file=gc.log $options $does \
		-alias sonde -keystore store <&7 >out 2>&1) &
	echo $! >pid
	until_said out password
	;;
attach)
	pid=$(cat "$dir/pid")
	touch "/proc/$pid/cwd/.attach_pid$pid"
	kill -QUIT "$pid"
	for _ in $(seq 300); do
		grep -q '^Attach Listener' /proc/"$pid"/task/*/comm && exit
		sleep 0.1
	done
	exit 1
	;;
go)
	pid=$(cat "$dir/pid")
	printf 'secret1\nsecret1\n' >"$dir/in"
	for _ in $(seq 600); do
		[ -e "/proc/$pid" ] || exit 0
		sleep 0.1
	done
	exit 1
	;;
esac
