# The smallest Debian live image that live-build makes and that still is a Debian: minbase, systemd, live-boot, one kernel, no
# recommended packages, no installer, no firmware, no menu to wait at. Runs as root inside the builder's root, in /work.
set -eu
mkdir -p /work/live
cd /work/live
lb config \
  --distribution trixie --architecture amd64 --archive-areas main \
  --debootstrap-options --variant=minbase \
  --apt-recommends false --apt-indices false --cache false \
  --security true --updates false --backports false \
  --mirror-bootstrap "$MIRROR" --mirror-chroot "$MIRROR" --mirror-binary "$MIRROR" --parent-mirror-bootstrap "$MIRROR" \
  --mirror-chroot-security "$SECURITY_MIRROR" --mirror-binary-security "$SECURITY_MIRROR" \
  --initramfs live-boot --linux-packages linux-image --linux-flavours amd64 \
  --binary-images iso-hybrid --bootloaders grub-efi --uefi-secure-boot disable \
  --debian-installer none --firmware-chroot false --firmware-binary false --memtest none --win32-loader false \
  --checksums none --zsync false --source false \
  --bootappend-live 'boot=live console=ttyS0,115200 quiet loglevel=3 init=/usr/lib/bench/first-process'
echo 'live-boot live-boot-initramfs-tools systemd-sysv' >config/package-lists/base.list.chroot
bash /work/add-marks.sh config/includes.chroot
mkdir -p config/bootloaders
cp -r /usr/share/live/build/bootloaders/grub-pc config/bootloaders/
printf 'set default=0\nset timeout=0\n' >config/bootloaders/grub-pc/config.cfg
lb build
mv live-image-amd64.hybrid.iso /work/image
