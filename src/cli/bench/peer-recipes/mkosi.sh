# The smallest bootable disk that mkosi makes of Debian: systemd, udev, one kernel, systemd-boot, the root as a squashfs, no
# documentation; the ESP as small as firmware reads FAT32. Runs as root inside the builder's root, in /work.
set -eu
mkdir -p /work/mkosi/mkosi.repart /work/mkosi/mkosi.sandbox/etc/apt/sources.list.d
cd /work/mkosi
# In place of mkosi's own, which asks for the archive of debug symbols that few mirrors carry.
cat >mkosi.sandbox/etc/apt/sources.list.d/mkosi.sources <<END
Types: deb
URIs: $MIRROR
Suites: trixie
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: $SECURITY_MIRROR
Suites: trixie-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
cat >mkosi.conf <<END
[Distribution]
Distribution=debian
Release=trixie
Mirror=$MIRROR
Repositories=main

[Output]
Format=disk
Output=image

[Content]
Bootable=yes
Bootloader=systemd-boot
Packages=linux-image-amd64,systemd,systemd-boot,systemd-sysv,udev
WithDocs=no
KernelCommandLine=console=ttyS0,115200 quiet loglevel=3 init=/usr/lib/bench/first-process
END
cat >mkosi.repart/00-esp.conf <<'END'
[Partition]
Type=esp
Format=vfat
CopyFiles=/boot:/
CopyFiles=/efi:/
SizeMinBytes=264M
SizeMaxBytes=264M
END
cat >mkosi.repart/10-root.conf <<'END'
[Partition]
Type=root
Format=squashfs
CopyFiles=/
Minimize=best
END
bash /work/add-marks.sh mkosi.extra
mkosi --force build
mv image.raw /work/image
