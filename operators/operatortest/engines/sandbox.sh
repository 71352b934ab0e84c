# Runs a program in a root file system that it cannot change. The caller has
# made namespaces for mounts, processes and shared memory, so that all of this
# is gone when the program ends.
#
# $0: the root file system; $1: the folder to mount at /mnt; $2: user and group;
# then the program and its arguments.
set -eu
root=$0 data=$1 user=$2
shift 2
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount --bind "$data" "$root/mnt"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=1777 tmpfs "$root/run"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero random urandom; do
  : >"$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -m 1777 "$root/dev/shm"
# The wish to die with the caller is lost when the user changes, so it is made again.
exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups --pdeathsig KILL "$@"
