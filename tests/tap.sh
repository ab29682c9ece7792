# Test Anything Protocol for the shell scripts of this folder: source it, then `ok NAME` or
# `not_ok NAME` or `skip NAME REASON` for each case, and `finish` at the end.
tap_count=0
tap_failed=0

ok()
{
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1"
}

not_ok()
{
    tap_count=$((tap_count + 1))
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $1"
}

skip()
{
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# report NAME FINDINGS: ok if there are none, else each of them as a comment.
report()
{
    if [ -z "$2" ]; then
        ok "$1"
    else
        not_ok "$1"
        printf '%s\n' "$2" | sed 's/^/# /'
    fi
}

finish()
{
    echo "1..$tap_count"
    [ "$tap_failed" -eq 0 ]
}
