# shellcheck shell=sh
# Sourced by gates that have an environment of their own, $venv: what runs finds its programs, its copy of the
# collection, and its settings of Ansible there.
PATH=${venv:?}/bin:$PATH
PYTHONPATH=$venv/collections
ANSIBLE_COLLECTIONS_PATH=$venv/collections
ANSIBLE_HOME=$venv/ansible
ANSIBLE_CONFIG=$venv/ansible/ansible.cfg
ANSIBLE_REMOTE_TEMP=$venv/ansible/tmp
ANSIBLE_ASYNC_DIR=$venv/ansible/async
export PATH PYTHONPATH ANSIBLE_COLLECTIONS_PATH ANSIBLE_HOME ANSIBLE_CONFIG ANSIBLE_REMOTE_TEMP ANSIBLE_ASYNC_DIR
