// Reads CARs from the gateway with the readers of others, checks every hash, and takes files out of
// them: whole ones, ranges, and names in directories, in shards too.
import assert from 'node:assert'
import { readFileSync } from 'node:fs'
import { CarReader } from '@ipld/car'
import { MemoryBlockstore } from 'blockstore-core'
import { exporter } from 'ipfs-unixfs-exporter'
import { sha256 } from 'multiformats/hashes/sha2'

const [url, fixtures] = process.argv.slice(2)
const dags = JSON.parse(readFileSync(fixtures))
const expected = new Map()
for await (const { cid, bytes } of (await CarReader.fromBytes(readFileSync(fixtures.replace(/json$/, 'car')))).blocks()) {
  expected.set(cid.toString(), bytes)
}

async function car (path, query = '') {
  const response = await fetch(`${url}/ipfs/${path}?format=car${query}`)
  assert.equal(response.status, 200, path)
  const reader = await CarReader.fromBytes(new Uint8Array(await response.arrayBuffer()))
  const store = new MemoryBlockstore()
  let blocks = 0
  for await (const { cid, bytes } of reader.blocks()) {
    assert.deepEqual((await sha256.digest(bytes)).digest, cid.multihash.digest, `${cid}`)
    await store.put(cid, bytes)
    blocks++
  }
  return { store, blocks, roots: await reader.getRoots() }
}

async function file (path, { store }, options) {
  const parts = []
  for await (const part of (await exporter(path, store)).content(options)) {
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const whole = new MemoryBlockstore()
for (const [name, bytes] of expected) {
  const { CID } = await import('multiformats/cid')
  await whole.put(CID.parse(name), bytes)
}
for (const path of [
  dags.file.cid,
  dags.oldFile.cid,
  `${dags.dir.cid}/hello.txt`,
  `${dags.dir.cid}/sub/large.bin`,
  `${dags.hamt.cid}/7.txt`,
  `${dags.hamt.cid}/large.bin`,
  `${dags.cbor.cid}/files/single`
]) {
  const taken = await car(path, '&dag-scope=entity')
  assert.equal(taken.roots[0].toString(), path.split('/')[0])
  assert.deepEqual(await file(path, taken), await file(path, { store: whole }), path)
}
const part = await car(dags.file.cid, '&entity-bytes=1000:1999')
assert.ok(part.blocks < dags.file.all.length / 2)
assert.deepEqual(
  await file(dags.file.cid, part, { offset: 1000, length: 1000 }),
  (await file(dags.file.cid, { store: whole })).subarray(1000, 2000))
assert.equal((await car(dags.hamt.cid)).blocks, dags.hamt.all.length)
console.log('CARs of the gateway are what others understand')
