#!/bin/sh
# Makes DIRECTORY/bin/ipmi_sim from Debian's packages, by apt and without root: ipmi_sim.sh DIRECTORY. Nothing is installed on
# the machine: the packages are unpacked into DIRECTORY, and apt keeps its lists there. Where that can't be done, it says why
# not and succeeds: the tests that need the program are skipped, and the others run.
set -u
place=$1
needed="openipmi libopenipmi0 libpopt0"

without() {
    echo "ipmi_sim is not here ($1): the tests with IPMI are skipped. It is in Debian's package openipmi." >&2
    exit 0
}

command -v ipmi_sim >/dev/null && exit 0
[ -x "$place/bin/ipmi_sim" ] && exit 0
for program in apt-get dpkg; do
    command -v $program >/dev/null || without "there is no $program to fetch it with"
done
mkdir -p "$place/state/lists/partial" "$place/cache/archives/partial" "$place/packages" "$place/root" "$place/bin"
place=$(cd "$place" && pwd)
apt() {
    timeout 180 apt-get -q -o Dir::State="$place/state" -o Dir::Cache="$place/cache" \
        -o Dir::State::status=/var/lib/dpkg/status -o APT::Sandbox::User= "$@" >"$place/log" 2>&1
}
echo "fetching $needed into $place ..."
apt update || without "apt-get update failed: $(tail -n 1 "$place/log")"
cd "$place/packages" || exit 1
# shellcheck disable=SC2086
apt download $needed || without "apt-get download failed: $(tail -n 1 "$place/log")"
for package in *.deb; do
    dpkg -x "$package" "$place/root" || without "dpkg can't unpack $package"
done
folder_of() {
    dirname "$(find "$place/root" -name "$1" -print -quit)"
}
libraries=$(folder_of 'libOpenIPMIutils.so*'):$(folder_of 'libpopt.so*')
cat >"$place/bin/ipmi_sim.new" <<SH
#!/bin/sh
LD_LIBRARY_PATH=$libraries exec $place/root/usr/bin/ipmi_sim "\$@"
SH
chmod +x "$place/bin/ipmi_sim.new"
# It ends with a complaint about its configuration where it runs, and with 127 where a library is missing.
"$place/bin/ipmi_sim.new" -c /dev/null </dev/null >"$place/log" 2>&1
[ $? -ne 127 ] || without "it doesn't run: $(tail -n 1 "$place/log")"
mv "$place/bin/ipmi_sim.new" "$place/bin/ipmi_sim"
