#!/bin/sh
# Makes an interpreter that an ordinary user of the far side can run, with what the collection needs:
# far_python.sh FOLDER MINOR (of Python 3). Prints nothing; ends with 1 where there is no such Python.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
mkdir -p "$1"
far=$(CDPATH='' cd -- "$1" && pwd)/3.$2
stamp=$far/.made
if [ -e "$stamp" ] && [ -z "$(find "$0" "$root/requirements.txt" -newer "$stamp")" ]; then
    exit 0
fi
python=$(PYTHON='' "$here/python.sh" "$2" "$2" 2>/dev/null) || exit 1
rm -rf "$far"
mkdir -p "$far"
base=$("$python" -I -c 'import sys; print(sys.base_prefix)')
library=
# Root's own pyenv is in a folder that nobody else may enter: then the interpreter is copied, without its tests.
if [ "$(id -u)" = 0 ] && ! setpriv --reuid=65534 --regid=65534 --clear-groups "$python" -c '' 2>/dev/null; then
    mkdir -p "$far/bin" "$far/lib"
    cp "$base/bin/python3.$2" "$far/bin/"
    (
        cd "$base/lib"
        set -- "python3.$2"
        for shared in libpython3*; do
            if [ -e "$shared" ]; then
                set -- "$@" "$shared"
            fi
        done
        tar -cf - --exclude=site-packages --exclude=test --exclude='config-*' --exclude=__pycache__ "$@"
    ) | tar -xf - -C "$far/lib"
    mkdir -p "$far/lib/python3.$2/site-packages"
    python_there=$far/bin/python3.$2
    library="LD_LIBRARY_PATH='$far/lib' "
else
    python_there=$python
fi
# Its own pip knows this Python; that of .venv may be too old for it.
installer() {
    if "$python" -m pip --version >/dev/null 2>&1; then
        "$python" -m pip "$@"
    else
        "$root/.venv/bin/python" -m pip --python "$python" "$@"
    fi
}
installer install --quiet --target "$far/packages" -r "$root/requirements.txt"
cat >"$far/python" <<SCRIPT
#!/bin/sh
PYTHONPATH='$far/packages' ${library}exec '$python_there' "\$@"
SCRIPT
chmod -R go+rX "$far"
chmod 755 "$far/python"
touch "$stamp"
