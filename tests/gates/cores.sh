# shellcheck shell=sh
# Sourced: which minor versions of Python 3 each ansible-core runs on as a controller.

# shellcheck disable=SC2034  # who sources this reads it
CORES="2.16 2.17 2.18 2.19 2.20 2.21"

core_range() { # CORE: sets $lowest and $highest
    case $1 in
        2.16 | 2.17) lowest=11 highest=12 ;;
        2.18 | 2.19) lowest=11 highest=13 ;;
        2.20 | 2.21) lowest=12 highest=14 ;;
        *) echo "ansible-core $1: known are $CORES." >&2; return 2 ;;
    esac
}
