// Makes dag.car and dag.json, the DAGs that the tests of paths and CARs read: by the encoders of
// others, so that the tests do not take our word for what a directory looks like.
//   npm ci && node make.mjs DIRECTORY
import { createWriteStream, writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CarWriter } from '@ipld/car'
import * as dagCbor from '@ipld/dag-cbor'
import * as dagJson from '@ipld/dag-json'
import * as dagPb from '@ipld/dag-pb'
import { MemoryBlockstore } from 'blockstore-core'
import { importer } from 'ipfs-unixfs-importer'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { identity } from 'multiformats/hashes/identity'
import { sha256 } from 'multiformats/hashes/sha2'

const codecs = { [dagPb.code]: dagPb, [dagCbor.code]: dagCbor, [dagJson.code]: dagJson, [raw.code]: raw }
const store = new MemoryBlockstore()
const order = []
const known = new Map()

async function keep (cid, bytes) {
  if (!known.has(cid.toString())) {
    known.set(cid.toString(), bytes)
    order.push(cid)
  }
  await store.put(cid, bytes)
}

const recording = {
  put: async (cid, bytes) => { await keep(cid, bytes); return cid },
  get: (cid, options) => store.get(cid, options),
  has: (cid, options) => store.has(cid, options)
}

async function put (codec, value) {
  const bytes = codec.encode(value)
  const cid = CID.createV1(codec.code, await sha256.digest(bytes))
  await keep(cid, bytes)
  return cid
}

async function add (files, options) {
  let last
  for await (const entry of importer(files, recording, { cidVersion: 1, rawLeaves: true, wrapWithDirectory: files.length > 1, ...options })) {
    last = entry.cid
  }
  return last
}

function bytesOf (length, seed) {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[i] = state >>> 16
  }
  return bytes
}

const text = string => new TextEncoder().encode(string)
const small = { chunker: fixedSize({ chunkSize: 256 }), layout: balanced({ maxChildrenPerNode: 3 }) }
const names = {}
names.file = await add([{ path: 'file', content: bytesOf(5000, 7) }], small)
names.oldFile = await add([{ path: 'file', content: bytesOf(2000, 9) }], { ...small, cidVersion: 0, rawLeaves: false })
names.dir = await add([
  { path: 'ascii.txt', content: text('goodbye application/vnd.ipld.car\n') },
  { path: 'hello.txt', content: text('hello application/vnd.ipld.car\n') },
  { path: 'sub/large.bin', content: bytesOf(3000, 5) },
  { path: 'sub/ünïcode name.txt', content: text('a name beyond ASCII\n') }
], small)
names.duplicates = await add([
  { path: 'a.txt', content: text('the same\n') },
  { path: 'b.txt', content: text('the same\n') },
  { path: 'c/d.txt', content: text('the same\n') }
], small)
const many = []
for (let i = 0; i < 400; i++) {
  many.push({ path: `${i}.txt`, content: text(`${i}\n`) })
}
many.push({ path: 'large.bin', content: bytesOf(1000, 3) })
names.hamt = await add(many, { ...small, shardSplitThresholdBytes: 0 })
names.cbor = await put(dagCbor, {
  files: { single: names.file, list: [1, 'two', { three: names.dir }] },
  text: 'inside',
  inline: CID.createV1(raw.code, identity.digest(text('in the link')))
})
names.json = await put(dagJson, { link: names.cbor, bytes: text('not a link'), number: 3 })

function links (cid) {
  const bytes = cid.multihash.code === identity.code ? cid.multihash.digest : known.get(cid.toString())
  const value = codecs[cid.code].decode(bytes)
  if (cid.code === dagPb.code) {
    return value.Links.map(link => link.Hash)
  }
  const found = []
  const walk = at => {
    const link = CID.asCID(at)
    if (link != null) {
      found.push(link)
    } else if (at != null && typeof at === 'object' && !(at instanceof Uint8Array)) {
      Object.values(at).forEach(walk)
    }
  }
  walk(value)
  return found
}

function depthFirst (cid, duplicates, seen = new Set(), shown = []) {
  const isInline = cid.multihash.code === identity.code
  if (!duplicates && seen.has(cid.toString())) {
    return shown
  }
  seen.add(cid.toString())
  if (!isInline) {
    shown.push(cid.toString())
  }
  links(cid).forEach(link => depthFirst(link, duplicates, seen, shown))
  return shown
}

const directory = process.argv[2] ?? '.'
const { writer, out } = CarWriter.create(Object.values(names))
const written = pipeline(Readable.from(out), createWriteStream(`${directory}/dag.car`))
for (const cid of order) {
  await writer.put({ cid, bytes: known.get(cid.toString()) })
}
await writer.close()
await written
const expected = {}
for (const [name, cid] of Object.entries(names)) {
  expected[name] = { cid: cid.toString(), all: depthFirst(cid, false), allWithDuplicates: depthFirst(cid, true) }
}
writeFileSync(`${directory}/dag.json`, JSON.stringify(expected, null, 1) + '\n')
console.log(order.length, 'blocks', Object.fromEntries(Object.entries(names).map(([n, c]) => [n, c.toString()])))
