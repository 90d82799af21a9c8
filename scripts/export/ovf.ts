/**
 * The description inside an .ova (DMTF DSP0243 1.1), with what VMware and VirtualBox want to know besides: VMware reads the
 * `vmw:` settings, VirtualBox its own `vbox:Machine`. Elements of an Item stand in alphabetical order, as the schema has it.
 */

/** One that every system knows, or the fastest of each hypervisor: VMXNET3 in VMware, virtio in VirtualBox. */
export type NetworkCard = 'e1000' | 'paravirtual';
export const NETWORK_CARDS = ['e1000', 'paravirtual'] as const satisfies readonly NetworkCard[];

export const MEMORY_MIB = 4096;
export const PROCESSORS = 2;

export interface OvfInput {
  readonly name: string;
  readonly networkCard: NetworkCard;
  readonly machineUuid: string;
  readonly disk: {
    readonly fileName: string;
    readonly fileBytes: number;
    readonly capacityBytes: number;
    readonly uuid: string;
  };
}

const STREAM_OPTIMIZED = 'http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized';
const NETWORK = 'NAT';
const DEBIAN_64 = 96; // CIM_OperatingSystem.OsType
const VMWARE_CARDS = { e1000: 'E1000', paravirtual: 'VmxNet3' } as const;
const VIRTUALBOX_CARDS = { e1000: '82540EM', paravirtual: 'virtio' } as const;

export function renderOvf(input: OvfInput): string {
  const { disk } = input;
  const name = xmlText(input.name);
  return `<?xml version="1.0" encoding="UTF-8"?>
<Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:vmw="http://www.vmware.com/schema/ovf" xmlns:vbox="http://www.virtualbox.org/ovf/machine">
  <References>
    <File ovf:id="file1" ovf:href="${xmlText(disk.fileName)}" ovf:size="${disk.fileBytes}"/>
  </References>
  <DiskSection>
    <Info>The seller image, as a disk</Info>
    <Disk ovf:capacity="${disk.capacityBytes}" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="${STREAM_OPTIMIZED}" vbox:uuid="${disk.uuid}"/>
  </DiskSection>
  <NetworkSection>
    <Info>The network by which the machine reaches its broker; outgoing connections only</Info>
    <Network ovf:name="${NETWORK}">
      <Description>${NETWORK}</Description>
    </Network>
  </NetworkSection>
  <VirtualSystem ovf:id="${name}">
    <Info>A cpushare seller machine</Info>
    <Name>${name}</Name>
    <OperatingSystemSection ovf:id="${DEBIAN_64}" vmw:osType="debian11_64Guest">
      <Info>The system in the image</Info>
      <Description>Debian_64</Description>
      <vbox:OSType ovf:required="false">Debian_64</vbox:OSType>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>UEFI, TPM 2.0, nested virtualization</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>${name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>vmx-19 virtualbox-2.2</vssd:VirtualSystemType>
      </System>
${items(input)}
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
      <vmw:Config ovf:required="false" vmw:key="bootOptions.efiSecureBootEnabled" vmw:value="true"/>
      <vmw:Config ovf:required="false" vmw:key="nestedHVEnabled" vmw:value="true"/>
    </VirtualHardwareSection>
${virtualBoxMachine(input)}
  </VirtualSystem>
</Envelope>
`;
}

function items({ networkCard }: OvfInput): string {
  return [
    item({
      AllocationUnits: 'hertz * 10^6',
      Description: 'Number of virtual CPUs',
      ElementName: `${PROCESSORS} virtual CPUs`,
      InstanceID: 1,
      ResourceType: 3,
      VirtualQuantity: PROCESSORS,
    }),
    item({
      AllocationUnits: 'byte * 2^20',
      Description: 'Memory Size',
      ElementName: `${MEMORY_MIB} MiB of memory`,
      InstanceID: 2,
      ResourceType: 4,
      VirtualQuantity: MEMORY_MIB,
    }),
    item({
      Address: 0,
      Description: 'SATA Controller',
      ElementName: 'sataController0',
      InstanceID: 3,
      // This name of the controller is understood by both; VMware does not know VirtualBox's.
      ResourceSubType: 'vmware.sata.ahci',
      ResourceType: 20,
    }),
    item({
      AddressOnParent: 0,
      ElementName: 'disk1',
      HostResource: 'ovf:/disk/vmdisk1',
      InstanceID: 4,
      Parent: 3,
      ResourceType: 17,
    }),
    item({
      AddressOnParent: 1,
      AutomaticAllocation: 'true',
      Connection: NETWORK,
      ElementName: 'Ethernet 1',
      InstanceID: 5,
      ResourceSubType: VMWARE_CARDS[networkCard],
      ResourceType: 10,
    }),
    // Not required: whoever does not know it leaves it out instead of refusing the machine.
    item(
      {
        AutomaticAllocation: 'false',
        ElementName: 'Virtual TPM',
        InstanceID: 6,
        ResourceSubType: 'vmware.vtpm',
        ResourceType: 1,
      },
      ' ovf:required="false"',
    ),
  ].join('\n');
}

function item(fields: Readonly<Record<string, string | number>>, attributes = ''): string {
  const lines = Object.entries(fields).map(
    ([name, value]) => `        <rasd:${name}>${xmlText(String(value))}</rasd:${name}>`,
  );
  return [`      <Item${attributes}>`, ...lines, '      </Item>'].join('\n');
}

/** Settings version 1.19: VirtualBox 7.0, the first with a TPM. Secure Boot keys live in a file that is not part of it. */
function virtualBoxMachine({ name, machineUuid, disk, networkCard }: OvfInput): string {
  return `    <vbox:Machine ovf:required="false" version="1.19-linux" uuid="{${machineUuid}}" name="${xmlText(name)}" OSType="Debian_64">
      <ovf:Info>The machine as VirtualBox keeps it</ovf:Info>
      <Hardware>
        <CPU count="${PROCESSORS}">
          <PAE enabled="true"/>
          <LongMode enabled="true"/>
          <NestedHWVirt enabled="true"/>
          <HardwareVirtExLargePages enabled="true"/>
        </CPU>
        <Memory RAMSize="${MEMORY_MIB}"/>
        <Firmware type="EFI"/>
        <Boot>
          <Order position="1" device="HardDisk"/>
          <Order position="2" device="None"/>
          <Order position="3" device="None"/>
          <Order position="4" device="None"/>
        </Boot>
        <Display controller="VMSVGA" VRAMSize="16"/>
        <BIOS>
          <IOAPIC enabled="true"/>
          <SmbiosUuidLittleEndian enabled="true"/>
        </BIOS>
        <TrustedPlatformModule type="v2_0" location=""/>
        <Network>
          <Adapter slot="0" enabled="true" type="${VIRTUALBOX_CARDS[networkCard]}">
            <NAT/>
          </Adapter>
        </Network>
        <AudioAdapter enabled="false"/>
        <RTC localOrUTC="UTC"/>
        <StorageControllers>
          <StorageController name="SATA" type="AHCI" PortCount="1" useHostIOCache="false" Bootable="true">
            <AttachedDevice type="HardDisk" hotpluggable="false" port="0" device="0">
              <Image uuid="{${disk.uuid}}"/>
            </AttachedDevice>
          </StorageController>
        </StorageControllers>
      </Hardware>
    </vbox:Machine>`;
}

function xmlText(text: string): string {
  const names: Readonly<Record<string, string>> = { '&': 'amp', '<': 'lt', '>': 'gt', '"': 'quot' };
  return text.replace(/[&<>"]/g, (character) => `&${names[character]};`);
}
