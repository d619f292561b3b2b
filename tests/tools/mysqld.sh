#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A database server of one's own, without tables and without network.
#   mysqld.sh begin DIRECTORY         start it, and wait until it listens on DIRECTORY/socket
#   mysqld.sh ask DIRECTORY QUERIES
#   mysqld.sh end DIRECTORY
set -e
what=$1 dir=$2

case $what in
begin)
	rm -rf "$dir" && mkdir -p "$dir"
	# The name by which the tools look for it, whoever made it.
	mysqld --no-defaults --datadir="$dir" --socket="$dir/socket" --pid-file="$dir/pid" --skip-networking --user=root \
		--skip-grant-tables --skip-innodb --default-storage-engine=MyISAM >"$dir/log" 2>&1 &
	for _ in $(seq 300); do
		[ -S "$dir/socket" ] && exit 0
		sleep 0.1
	done
	cat "$dir/log" >&2
	exit 1
	;;
ask)
	mysql --no-defaults --socket="$dir/socket" -e "$3" >/dev/null
	;;
end)
	kill "$(cat "$dir/pid")"
	for _ in $(seq 100); do
		[ -e "$dir/pid" ] || break
		sleep 0.1
	done
	rm -rf "$dir"
	;;
esac
