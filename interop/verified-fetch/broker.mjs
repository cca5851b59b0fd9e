// Helia's block store with nothing but the trustless gateway broker: each block is asked for by its
// CID and verified, from a gateway that is configured and from one that the router names.
import { withHTTP } from '@helia/http'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { createHeliaLight } from 'helia'
import { CarReader } from '@ipld/car'
import { CID } from 'multiformats/cid'

const [url, fixtures] = process.argv.slice(2)
const car = await CarReader.fromBytes(readFileSync(fixtures.replace(/json$/, 'car')))
const expected = []
for await (const block of car.blocks()) expected.push(block)

for (const recursiveGateways of [[url], []]) {
  const helia = await withHTTP(createHeliaLight(), {
    // Without a router it never comes to ask a gateway.
    delegatedRouters: [url],
    recursiveGateways,
    allowLocal: true,
    allowInsecure: true
  }).start()
  const get = async (cid) => {
    const parts = []
    for await (const part of helia.blockstore.get(cid, { signal: AbortSignal.timeout(30_000) })) {
      parts.push(part)
    }
    return Buffer.concat(parts)
  }
  for (const { cid, bytes } of expected) {
    assert.deepEqual(await get(cid), Buffer.from(bytes), `${cid}`)
  }
  await assert.rejects(get(CID.parse('bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')))
  console.log(expected.length, 'blocks by the broker,',
    recursiveGateways.length > 0 ? 'its gateway configured' : 'its gateway found by routing')
  await helia.stop()
}
