/** A broker that is down at boot, and one that dies during enrolment: the machine ends attested, nothing is stored twice. */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { waitFor } from '../../scripts/run/wait.ts';
import { createBrokerClient } from '../../src/cli/broker-client.ts';
import { startBrokerProcess } from '../../src/cli/demo/broker-process.ts';
import { BOOT_TIMEOUT_MS, bootScene, createScene, referenceValuesFile, testTools, waitForVerdict } from './support.ts';

describe('a broker that dies during enrolment', () => {
  it('finds the machine attested after its return, once', async () => {
    const scene = await createScene(await testTools());
    const machine = await bootScene(scene);
    await machine.waitForSerial(/cpushare: .*attestation=enrolling/, BOOT_TIMEOUT_MS);
    process.kill(scene.broker.process.pid, 'SIGKILL');
    await scene.broker.process.exited;
    await machine.waitForSerial(/cpushare: .*BROKER_UNREACHABLE/, BOOT_TIMEOUT_MS);

    const again = await startBrokerProcess({
      dataFolder: join(scene.folder, 'broker'),
      referenceValues: [referenceValuesFile],
      trust: [join(scene.folder, 'trust.pem')],
      port: scene.broker.port,
    });
    onTestFinished(() => again.close());
    expect(again.brokerId).toBe(scene.broker.brokerId);

    const { attestation } = await waitForVerdict(scene, machine);
    expect(attestation).toBe('accepted');
    const { machines } = await waitFor(() => createBrokerClient(again).machines(), {
      what: 'the list',
      timeoutMs: 10_000,
    });
    expect(machines).toHaveLength(1);
  });
});
