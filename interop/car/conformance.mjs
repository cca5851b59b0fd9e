// The cases of gateway-conformance for a gateway of blocks and CARs (raw, CAR, headers, CORS, cache,
// codecs), as a table over DAGs that encoders of others made. Read by a reader of others.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { CarReader } from '@ipld/car'
import { MemoryBlockstore } from 'blockstore-core'
import { exporter } from 'ipfs-unixfs-exporter'
import { CID } from 'multiformats/cid'

const [url, fixtures] = process.argv.slice(2)
const dags = JSON.parse(readFileSync(fixtures))
const whole = new MemoryBlockstore()
const bytesOf = new Map()
const fixture = await CarReader.fromBytes(readFileSync(fixtures.replace(/json$/, 'car')))
for await (const { cid, bytes } of fixture.blocks()) {
  bytesOf.set(cid.toString(), bytes)
  await whole.put(cid, bytes)
}

const RAW = 'application/vnd.ipld.raw'
const CAR = 'application/vnd.ipld.car'
const absent = 'bafkreifzjut3te7nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'
const [file, dir, hamt, cbor, json, twice] =
  [dags.file, dags.dir, dags.hamt, dags.cbor, dags.json, dags.duplicates].map(({ cid }) => cid)
const hello = (await exporter(`${dir}/hello.txt`, whole)).cid.toString()
const block = bytesOf.get(hello)
let cases = 0

async function ask (path, headers = {}, method = 'GET') {
  cases++
  return await fetch(url + path, { method, headers, redirect: 'manual' })
}

async function expect (path, headers, status, expected = {}, method = 'GET') {
  const response = await ask(path, headers, method)
  const what = `${method} ${path} ${JSON.stringify(headers)}`
  assert.equal(response.status, status, what)
  for (const [name, pattern] of Object.entries(expected)) {
    assert.match(response.headers.get(name) ?? '', pattern, `${what}: ${name}`)
  }
  return Buffer.from(await response.arrayBuffer())
}

const literally = (text) => new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`)
const immutable = /^(?=.*public)(?=.*immutable)(?=.*max-age=(29030400|3\d{7}))/

// Blocks: format and Accept, headers, names, caching.
for (const [query, headers] of [['?format=raw', {}], ['', { Accept: RAW }]]) {
  for (const path of [`/ipfs/${hello}`, `/ipfs/${dir}/hello.txt`]) {
    const body = await expect(path + query, headers, 200, {
      'content-type': literally(RAW),
      'content-length': literally(`${block.length}`),
      'content-disposition': /^attachment;/,
      'x-content-type-options': /^nosniff$/,
      'x-ipfs-path': literally(path),
      'x-ipfs-roots': new RegExp(`${hello}$`),
      'cache-control': immutable,
      etag: /^"/
    })
    assert.deepEqual(body, Buffer.from(block))
  }
}
await expect(`/ipfs/${hello}?format=raw&filename=foobar.bin`, {}, 200, {
  'content-disposition': /^attachment; filename="foobar.bin"$/
})
for (const [range, from, to] of [['bytes=0-0', 0, 1], ['bytes=2-5', 2, 6], ['bytes=-3', block.length - 3, block.length], ['bytes=6-', 6, block.length]]) {
  const part = await expect(`/ipfs/${hello}?format=raw`, { Range: range }, 206, {
    'content-range': literally(`bytes ${from}-${to - 1}/${block.length}`)
  })
  assert.deepEqual(part, Buffer.from(block.subarray(from, to)))
}
await expect(`/ipfs/${hello}?format=raw`, { Range: `bytes=${block.length}-` }, 416, {
  'content-range': literally(`bytes */${block.length}`)
})
const tag = (await ask(`/ipfs/${hello}?format=raw`)).headers.get('etag')
for (const given of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
  await expect(`/ipfs/${hello}?format=raw`, { 'If-None-Match': given }, 304, { etag: literally(tag) })
}
await expect(`/ipfs/${hello}?format=raw`, { 'If-None-Match': '"other"' }, 200)
for (const method of ['GET', 'HEAD']) {
  await expect(`/ipfs/${absent}?format=raw`, {}, 404, {}, method)
  await expect(`/ipfs/${absent}?format=car`, {}, 404, {}, method)
  await expect(`/ipfs/${absent}?format=raw`, { 'Cache-Control': 'only-if-cached' }, 412, {}, method)
  await expect(`/ipfs/${hello}?format=raw`, { 'Cache-Control': 'only-if-cached' }, 200, {}, method)
  await expect('/ipfs/bafkqaaa?format=raw', {}, 200, {}, method)
}
for (const wrong of ['/ipfs/none?format=raw', `/ipfs/${hello}?format=none`, `/ipfs/${dir}?format=car&dag-scope=none`]) {
  await expect(wrong, {}, 400)
}

// format beats Accept; codecs are not converted; a path within a value.
await expect(`/ipfs/${hello}?format=raw`, { Accept: CAR }, 200, { 'content-type': literally(RAW) })
await expect(`/ipfs/${hello}?format=car`, { Accept: RAW }, 200, { 'content-type': /^application\/vnd\.ipld\.car/ })
await expect(`/ipfs/${cbor}?format=dag-cbor`, {}, 200, { 'content-type': /dag-cbor/ })
await expect(`/ipfs/${cbor}`, { Accept: 'application/vnd.ipld.dag-cbor' }, 200, { 'content-type': /dag-cbor/ })
await expect(`/ipfs/${json}?format=dag-json`, {}, 200, { 'content-type': /dag-json/ })
await expect(`/ipfs/${cbor}?format=dag-json`, {}, 406)
await expect(`/ipfs/${json}?format=dag-cbor`, {}, 406)
await expect(`/ipfs/${cbor}/text?format=raw`, {}, 501)

// Any page may read.
for (const method of ['GET', 'OPTIONS']) {
  await expect(`/ipfs/${hello}?format=raw`, { Origin: 'https://page.example' }, method === 'GET' ? 200 : 204, {
    'access-control-allow-origin': /^\*$/,
    'access-control-allow-methods': /(?=.*GET)(?=.*HEAD)(?=.*OPTIONS)/,
    'access-control-allow-headers': /(?=.*Content-Type)(?=.*Range)(?=.*User-Agent)(?=.*X-Requested-With)/,
    'access-control-expose-headers': /(?=.*Content-Range)(?=.*Content-Length)(?=.*X-Ipfs-Path)(?=.*X-Ipfs-Roots)(?=.*X-Chunked-Output)(?=.*X-Stream-Output)/
  }, method)
}

// CARs: exact blocks in their order, by format and by Accept.
async function car (path, query = '', accept) {
  const expected = {
    'content-type': /^application\/vnd\.ipld\.car; *version=1/,
    'accept-ranges': /^none$/,
    'x-content-type-options': /^nosniff$/,
    'content-disposition': /^attachment;.*\.car"/,
    etag: /"/
  }
  const format = accept ? '' : 'format=car&'
  const body = await expect(`/ipfs/${path}?${format}${query}`, accept ? { Accept: accept } : {}, 200, expected)
  const reader = await CarReader.fromBytes(body)
  const store = new MemoryBlockstore()
  const order = []
  for await (const { cid, bytes } of reader.blocks()) {
    order.push(cid.toString())
    await store.put(cid, bytes)
  }
  return { order, store, roots: (await reader.getRoots()).map(String) }
}
for (const accept of [undefined, CAR]) {
  for (const [path, query, expected] of [
    [dir, '', dags.dir.all],
    [`${dir}/hello.txt`, '', [dir, hello]],
    [dir, 'dag-scope=block', [dir]],
    [`${dir}/hello.txt`, 'dag-scope=block', [dir, hello]],
    [dir, 'dag-scope=entity', [dir]],
    [`${dir}/hello.txt`, 'dag-scope=entity', [dir, hello]],
    [file, 'dag-scope=block', [file]],
    [file, 'dag-scope=entity', dags.file.all],
    [hamt, 'dag-scope=all', dags.hamt.all],
    [cbor, 'dag-scope=entity', [cbor]],
    [cbor, 'dag-scope=all', dags.cbor.all],
    [`${cbor}/files/single`, 'dag-scope=entity', [cbor, ...dags.file.all]],
    [dir, 'entity-bytes=0:10', [dir]]
  ]) {
    const taken = await car(path, query, accept)
    assert.deepEqual(taken.order, expected, `${path}?${query}`)
    assert.deepEqual(taken.roots, [path.split('/')[0]])
  }
}
await expect(`/ipfs/${dir}/none?format=car`, {}, 404)

// Ranges of a file: the leaves that hold them, and no others.
const leaves = []
let size = 0
for (const name of dags.file.all.filter((name) => CID.parse(name).code === 0x55)) {
  leaves.push({ name, from: size, to: size += bytesOf.get(name).length })
}
for (const [range, from, to] of [
  ['0:*', 0, size], ['0:1000', 0, 1001], ['512:1023', 512, 1024], ['512:*', 512, size],
  ['512:-256', 512, size - 255], ['-5:*', size - 5, size],
  ['-99999999:-3', 0, size - 2], ['-99999999:*', 0, size], ['0:0', 0, 1]
]) {
  const taken = await car(file, `entity-bytes=${range}`)
  assert.deepEqual(
    taken.order.filter((name) => CID.parse(name).code === 0x55),
    leaves.filter((leaf) => leaf.from < to && leaf.to > from).map(({ name }) => name), range)
  assert.equal(taken.order[0], file)
}

// Order and duplicates.
assert.deepEqual((await car(twice, 'car-order=dfs&car-dups=y')).order, dags.duplicates.allWithDuplicates)
assert.deepEqual((await car(twice, 'car-order=dfs&car-dups=n')).order, dags.duplicates.all)
assert.deepEqual((await car(twice, '', `${CAR}; order=dfs; dups=y`)).order, dags.duplicates.allWithDuplicates)
assert.deepEqual((await car(twice, 'car-dups=n', `${CAR}; dups=y`)).order, dags.duplicates.all)
assert.deepEqual(new Set((await car(twice, 'car-order=unk')).order), new Set(dags.duplicates.all))
assert.deepEqual((await car('bafkqaaa', 'car-dups=y')).order, [])
await expect(`/ipfs/${twice}?format=car&car-order=none`, {}, 400)
console.log(`${cases} requests are answered as gateway-conformance wants it`)
