/** Where things lie in the live image. One object, so that a test can point each of them elsewhere. */
export interface Places {
  readonly sys: string;
  readonly proc: string;
  readonly dev: string;
  readonly tpmDevice: string;
  readonly eventLog: string;
  readonly imaLog: string;
  /** Where the kernel shows what it kept in NVRAM when it panicked. */
  readonly pstore: string;
  /** Written by the image build: name, version and kernel parameters. */
  readonly imageFacts: string;
  /** SMBIOS structures as firmware or hypervisor left them; readable by root, under lockdown too. */
  readonly smbiosTable: string;
  /** Made by the image build (scripts/vmware-backdoor.ts). */
  readonly vmwareBackdoor: string;
  /** sysctl.conf(5): what PID 1 has set. */
  readonly kernelSettings: string;
  /** An operator's own image may name its broker; ours has no such file. */
  readonly imageConfiguration: string;
  readonly configurationCopy: string;
  readonly resolvConf: string;
  /** Only in images of the wifi flavour. */
  readonly wifiDaemon: string;
  readonly messageBus: { readonly program: string; readonly configuration: string; readonly socket: string };
  /** On tmpfs: holds the network's key. */
  readonly wifiFolder: string;
  readonly temporaryFolder: string;
  readonly qemu: string;
}

export const LIVE_PLACES: Places = {
  sys: '/sys',
  proc: '/proc',
  dev: '/dev',
  tpmDevice: '/dev/tpmrm0',
  eventLog: '/sys/kernel/security/tpm0/binary_bios_measurements',
  imaLog: '/sys/kernel/security/ima/binary_runtime_measurements',
  pstore: '/sys/fs/pstore',
  imageFacts: '/usr/lib/cpushare/image.json',
  smbiosTable: '/sys/firmware/dmi/tables/DMI',
  vmwareBackdoor: '/usr/lib/cpushare/vmware-backdoor',
  kernelSettings: '/etc/sysctl.conf',
  imageConfiguration: '/usr/lib/cpushare/cpushare.json',
  configurationCopy: '/run/cpushare/cpushare.json',
  resolvConf: '/run/resolv.conf',
  wifiDaemon: '/usr/libexec/iwd',
  messageBus: {
    program: '/usr/bin/dbus-daemon',
    configuration: '/usr/lib/cpushare/message-bus.conf',
    socket: '/run/cpushare/message-bus',
  },
  wifiFolder: '/run/cpushare/wifi',
  temporaryFolder: '/tmp',
  qemu: 'qemu-system-x86_64',
};
