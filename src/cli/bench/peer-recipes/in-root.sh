# in-root.sh ROOT SCRIPT: runs a script of /work inside another root, in mounts of its own that go with it.
set -eu
mount --make-rprivate /
mount --bind "$1" "$1" # some tools want the root to be a mount
mount -t proc proc "$1/proc"
mount --rbind /sys "$1/sys"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/run"
cp /etc/resolv.conf "$1/etc/resolv.conf"
exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
  MIRROR="$MIRROR" SECURITY_MIRROR="$SECURITY_MIRROR" bash "/work/$2"
