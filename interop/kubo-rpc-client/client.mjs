// Kubo's own client for its RPC, against a running Ashlar: put, get, stat, list, remove.
import assert from 'node:assert/strict'
import { create } from 'kubo-rpc-client'

const client = create({ url: process.argv[2] + '/api/v0' })
const collect = async (stream) => {
  const all = []
  for await (const each of stream) all.push(each)
  return all
}

const version = await client.version()
assert.match(version.commit, /^ashlar\//)
const identity = await client.id()
assert.ok(identity.id.toString().startsWith('12D3'))

const bytes = new Uint8Array(100_000).map((_, i) => (i * 31) & 0xff)
const cid = await client.block.put(bytes)
assert.equal(cid.version, 1)
assert.deepEqual(new Uint8Array(await client.block.get(cid)), bytes)
assert.equal((await client.block.stat(cid)).size, bytes.length)

const version0 = await client.block.put(new Uint8Array([10, 0]), { format: 'v0', version: 0 })
assert.deepEqual(new Uint8Array(await client.block.get(version0)), new Uint8Array([10, 0]))

const refs = await collect(client.refs.local())
assert.ok(refs.some(({ ref }) => ref === cid.toString()))
const stat = await client.repo.stat()
assert.equal(stat.numObjects, 2n)

const removed = await collect(client.block.rm(cid))
assert.ok(!removed[0].error)
await assert.rejects(client.block.get(cid))
console.log('kubo-rpc-client: version, id, block.put/get/stat/rm, refs.local, repo.stat')
