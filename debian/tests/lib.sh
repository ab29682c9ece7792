# For the tests of this folder: source it, with "here" set to the folder. As root, on a system that is
# thrown away. Each case is a line "ok N - TEXT"; the first failure ends the test.
#
#   TESTS_PACKAGES=DIR   where packages of the example are that "helper" has built; else they are built
set -eu

work=$(mktemp -d)
chmod 755 "$work"
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1
count=0
log=/run/onion-grater-test.log

has_systemd()
{
    [ -d /run/systemd/system ]
}

ok()
{
    count=$((count + 1))
    echo "ok $count - $*"
}

fail()
{
    echo "not ok - $*"
    if has_systemd; then
        journalctl -b -u onion-grater -n 40 --no-pager | sed 's/^/# /'
    else
        tail -n 40 "$log" 2>/dev/null | sed 's/^/# /' || true
    fi
    exit 1
}

# said COMMAND...: what it says goes to $work/said, which it may read as it was.
said()
{
    status=0
    "$@" >"$work/saying" 2>&1 || status=$?
    mv "$work/saying" "$work/said"
    return "$status"
}

# check TEXT COMMAND...
check()
{
    text=$1
    shift
    if said "$@"; then
        ok "$text"
    else
        sed 's/^/# /' "$work/said"
        fail "$text"
    fi
}

# refused TEXT COMMAND...: it has to fail.
refused()
{
    text=$1
    shift
    if said "$@"; then
        sed 's/^/# /' "$work/said"
        fail "$text"
    fi
    ok "$text"
}

# do_or_fail COMMAND...: what is no case of its own.
do_or_fail()
{
    "$@" >"$work/did" 2>&1 || { sed 's/^/# /' "$work/did"; fail "$*"; }
}

# Within half a minute, as an emulated machine is slow.
soon()
{
    until_when=$(($(date +%s) + 30))
    until "$@" >"$work/last" 2>&1; do
        [ "$(date +%s)" -lt "$until_when" ] || { cat "$work/last"; return 1; }
        sleep 0.2
    done
}

not()
{
    ! "$@"
}

all_passed()
{
    rm -rf "$work"
    echo "1..$count"
}

# --- services ---------------------------------------------------------------------------------

# A proxy that is not there keeps tor from the network. With DisableNetwork it would not open its
# control socket, either, once it has changed its user.
start_tor()
{
    proxy='HTTPSProxy 127.0.0.1:1'
    if ! grep -qsx "$proxy" /etc/tor/torrc; then
        echo "$proxy" >>/etc/tor/torrc
        stop_tor
    fi
    if has_systemd; then
        do_or_fail systemctl start tor@default
    elif ! pgrep -x tor >/dev/null; then
        install -d -m 2755 -o debian-tor -g debian-tor /run/tor
        do_or_fail tor --defaults-torrc /usr/share/tor/tor-service-defaults-torrc \
            -f /etc/tor/torrc --RunAsDaemon 1
    fi
    soon test -S /run/tor/control || fail "tor has no control socket"
}

stop_tor()
{
    if has_systemd; then
        systemctl stop tor@default
    else
        pkill -x tor 2>/dev/null || true
        soon not pgrep -x tor >/dev/null
    fi
}

# Whether packages may start services here. Without an init system that takes a policy that says yes.
services_are_started()
{
    has_systemd || { [ -x /usr/sbin/policy-rc.d ] && /usr/sbin/policy-rc.d onion-grater start; }
}

# start, stop, restart or reload.
daemon()
{
    if has_systemd; then
        systemctl "$1" onion-grater
    else
        /etc/init.d/onion-grater "$1" </dev/null >>"$log" 2>&1
    fi
}

# as_user USER COMMAND...
as_user()
{
    name=$1
    shift
    setpriv --reuid "$name" --regid "$(id -g "$name")" --init-groups "$@"
}

# --- packages ---------------------------------------------------------------------------------

# source_of NAME VERSION: the source of the example package, as another version, in $work/NAME.
source_of()
{
    rm -rf "${work:?}/$1"
    cp -a "$here/oniontest" "$work/$1"
    sed -i "1s/(.*)/($2)/" "$work/$1/debian/changelog"
}

# build FOLDER: what it said is in $work/build.log; the packages in $work.
build()
{
    (cd "$work/$1" && dpkg-buildpackage -d -us -uc -b) >"$work/build.log" 2>&1 || {
        tail -n 20 "$work/build.log"
        return 1
    }
}

# oniontest VERSION: builds it, or takes the one that is there. Version 2 asks for one key more.
oniontest()
{
    if [ -n "${TESTS_PACKAGES:-}" ] && [ -e "$TESTS_PACKAGES/oniontest_$1_all.deb" ]; then
        cp "$TESTS_PACKAGES/oniontest_$1_all.deb" "$work/"
        return 0
    fi
    source_of oniontest "$1"
    if [ "$1" = 2 ]; then
        sed -i "s|'version'|'version', 'net/listeners/socks'|" \
            "$work/oniontest/debian/oniontest.onion-grater.yml"
        sed -i 's|^ExecStart=.*|& net/listeners/socks|' \
            "$work/oniontest/debian/oniontest.service"
    fi
    do_or_fail build oniontest
    [ -z "${TESTS_PACKAGES:-}" ] || cp "$work/oniontest_$1_all.deb" "$TESTS_PACKAGES/"
}
