/** The wifi flavour: attested by its own reference values and no other's; joins a network; says what keeps it from that. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { chooseMirrors } from '../../scripts/apt/mirrors.ts';
import { type BuiltImage, buildImage } from '../../scripts/build.ts';
import { cacheFolder } from '../../scripts/cache-folder.ts';
import { projectRoot } from '../../scripts/project.ts';
import { writeConfigurationVolume } from '../../scripts/run/configuration-volume.ts';
import type { Verdict } from '../../src/attest/verdict.ts';
import { fromBase64 } from '../../src/shared/bytes.ts';
import { BOOT_TIMEOUT_MS, bootScene, createScene, testTools, waitForVerdict } from '../e2e/support.ts';
import { bootBesideAccessPoint, type Network } from './access-point.ts';

const wifi = { networkName: 'Seller net_1', key: 'correct horse battery' };
let image: BuiltImage;

beforeAll(async () => {
  image = await buildImage({
    projectRoot,
    outputFolder: join(projectRoot, 'dist'),
    cacheFolder: cacheFolder(),
    mirrors: () => chooseMirrors({}),
    flavour: 'wifi',
    progress: () => undefined,
  });
});

describe('the wifi image', () => {
  it('is attested by its own reference values, and its network stays unknown to the broker', async () => {
    const scene = await createScene(image.tools, {
      referenceValues: image.referenceValues,
      configuration: { wifi },
    });
    const machine = await bootScene(scene, { iso: image.iso, memoryMiB: 1024 });
    const { attestation, report } = await waitForVerdict(scene, machine);
    expect((report.verdict as Verdict).checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(attestation).toBe('accepted');
    const sent = Buffer.from(fromBase64(report.evidence.configuration)).toString();
    expect(JSON.parse(sent)).toMatchObject({ wifi: 'withheld' });
    expect(JSON.stringify(report) + sent).not.toMatch(/Seller net|correct horse/);

    // No radio is in this machine: iwd looks for one, and goes on doing so.
    await machine.waitForSerial(/cpushare: error=WIFI_NO_CARD/, BOOT_TIMEOUT_MS);
    expect(await machine.serialText()).not.toMatch(/WIFI_CLIENT_FAILED|correct horse/);
  });

  it("is refused by a broker that knows the default image's values only", async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene, { iso: image.iso, memoryMiB: 1024 });
    const { attestation, report } = await waitForVerdict(scene, machine);
    expect(attestation).toBe('refused');
    const failed = (report.verdict as Verdict).checks.find(({ status }) => status === 'failed');
    expect(failed?.difference?.component).toBe('initrd');
  });

  it('the default image says that it has no Wi-Fi, and goes on by cable', async () => {
    const scene = await createScene(await testTools(), { configuration: { wifi } });
    const machine = await bootScene(scene);
    await machine.waitForSerial(/cpushare: error=WIFI_NOT_IN_IMAGE .*cpushare-seller-wifi\.iso/, BOOT_TIMEOUT_MS);
    expect((await waitForVerdict(scene, machine)).attestation).toBe('accepted');
  });
});

describe('beside an access point', () => {
  const boot = async (network: Network, settings: object = { wifi }) => {
    const folder = await mkdtemp(join(tmpdir(), 'cpushare-wifi-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const volume = await writeConfigurationVolume(image.tools, folder, {
      broker: 'https://192.168.77.1:42007',
      brokerPin: 'ab'.repeat(32),
      ...settings,
    });
    return bootBesideAccessPoint(image, folder, network, volume);
  };

  it.each(['WPA-PSK', 'SAE'] as const)('joins a network with %s and gets an address', async (security) => {
    const machine = await boot({ ...wifi, security });
    await machine.waitForSerial(/cpushare: wifi=connected/, BOOT_TIMEOUT_MS);
    await machine.waitForSerial(/cpushare: network=up address=192\.168\.77\.\d+/, BOOT_TIMEOUT_MS);
    expect(await machine.serialText()).not.toMatch(/Seller net|correct horse/);
  });

  it.each(['WPA-PSK', 'SAE'] as const)(
    'with the wrong key for %s says so, and does not repeat it',
    async (security) => {
      const machine = await boot({ ...wifi, security }, { wifi: { ...wifi, key: 'incorrect horse battery' } });
      await machine.waitForSerial(/cpushare: error=WIFI_KEY_REFUSED .*next="correct 'key'/, BOOT_TIMEOUT_MS);
      expect(await machine.serialText()).not.toMatch(/correct horse|wifi=connected/);
    },
  );

  it('goes nowhere where no configuration asks for it, and says what would help', async () => {
    const machine = await boot({ ...wifi, security: 'WPA-PSK' }, {});
    await machine.waitForSerial(/cpushare: configuration=loaded/, BOOT_TIMEOUT_MS);
    await machine.waitForSerial(/cpushare: error=NETWORK_NO_LINK .*name your Wi-Fi network/, BOOT_TIMEOUT_MS);
    expect(await machine.serialText()).toMatch(/cpushare: wifi=unconfigured/);
    expect(await machine.serialText()).not.toMatch(/wifi=(starting|connected)/);
  });

  it('says when the network is not in reach', async () => {
    const machine = await boot({ ...wifi, networkName: 'seller net_1', security: 'WPA-PSK' });
    await machine.waitForSerial(/cpushare: error=WIFI_NETWORK_NOT_FOUND/, BOOT_TIMEOUT_MS);
  });
});
