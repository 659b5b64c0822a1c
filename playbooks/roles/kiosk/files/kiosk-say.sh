#!/bin/sh
# kiosk-say PART: what was last found of it, for snmpd: one line, and 0 or not. Found longer than three minutes ago, it
# counts for nothing: whoever looks has died.
file=/run/cuntong-health/$1
[ -r "$file" ] || { echo "nobody has looked yet"; exit 3; }
[ -n "$(find "$file" -mmin -3)" ] || { echo "nobody has looked for three minutes"; exit 3; }
{ read -r result; read -r line; } <"$file"
echo "$line"
exit "$result"
