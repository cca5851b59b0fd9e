// Kubo's own client for its RPC, against a running Ashlar: blocks, DAGs, files, pins, collection.
import assert from 'node:assert/strict'
import { create } from 'kubo-rpc-client'

// What is written goes to one node and what is read may come from another.
const client = create({ url: process.argv[2] + '/api/v0' })
const other = create({ url: (process.argv[3] ?? process.argv[2]) + '/api/v0' })
const collect = async (stream) => {
  const all = []
  for await (const each of stream) all.push(each)
  return all
}
const joined = async (stream) => Buffer.concat(await collect(stream))

const version = await client.version()
assert.match(version.commit, /^ashlar\//)
const identity = await client.id()
assert.ok(identity.id.toString().startsWith('12D3'))

const bytes = new Uint8Array(100_000).map((_, i) => (i * 31) & 0xff)
const cid = await client.block.put(bytes)
assert.equal(cid.version, 1)
assert.deepEqual(new Uint8Array(await other.block.get(cid)), bytes)
assert.equal((await other.block.stat(cid)).size, bytes.length)

const version0 = await client.block.put(new Uint8Array([10, 0]), { format: 'v0', version: 0 })
assert.deepEqual(new Uint8Array(await other.block.get(version0)), new Uint8Array([10, 0]))

const refs = await collect(other.refs.local())
assert.ok(refs.some(({ ref }) => ref === cid.toString()))
assert.ok((await other.repo.stat()).numObjects >= 2n)

const removed = await collect(client.block.rm(cid))
assert.ok(!removed[0].error)
await assert.rejects(client.block.get(cid))

const value = { a: [1, 'two', null, true, 1.5], bytes: new Uint8Array([1, 2]), link: version0 }
const root = await client.dag.put(value, { pin: true })
assert.equal(root.code, 0x71)
const got = (await other.dag.get(root)).value
assert.deepEqual(got.a, value.a)
assert.deepEqual(new Uint8Array(got.bytes), value.bytes)
assert.equal(got.link.toString(), version0.toString())
assert.equal((await other.dag.get(root, { path: '/a/1' })).value, 'two')
assert.equal((await other.dag.resolve(root, { path: '/link' })).cid.toString(), version0.toString())

const car = await joined(other.dag.export(root))
const imported = await collect(client.dag.import([car]))
assert.equal(imported[0].root.cid.toString(), root.toString())
assert.equal(imported[0].root.pinErrorMsg, '')
assert.deepEqual((await collect(other.refs(root))).map((r) => r.ref), [version0.toString()])

const content = Buffer.alloc(1_000_000, 'not all the same ')
const file = await client.add(content)
assert.equal(file.cid.version, 0)
assert.deepEqual(await joined(other.cat(file.cid)), content)
assert.deepEqual(await joined(other.cat(file.cid, { offset: 300_000, length: 99 })), content.subarray(300_000, 300_099))
const added = await collect(client.addAll(
  [{ path: 'dir/one.txt', content: 'one' }, { path: 'dir/two.txt', content: 'two' }], { cidVersion: 1 }))
const dir = added.find((each) => each.path === 'dir')
const listed = await collect(other.ls(dir.cid))
assert.deepEqual(listed.map((each) => [each.name, each.type, each.size]), [['one.txt', 'file', 3], ['two.txt', 'file', 3]])

const pins = async (options) => (await collect(other.pin.ls(options))).map((each) => each.cid.toString())
assert.ok((await pins({ type: 'recursive' })).includes(root.toString()))
assert.ok((await pins({ type: 'indirect' })).includes(version0.toString()))
await client.pin.add(file.cid, { name: 'a file' })
assert.ok((await pins({ paths: file.cid })).includes(file.cid.toString()))
const kept = await collect(client.block.rm(version0))
assert.match(kept[0].error.message, /pinned/)
await assert.rejects(client.pin.add('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'), /could not find/)
await client.pin.rm(file.cid)
await assert.rejects(collect(other.pin.ls({ paths: file.cid })), /is not pinned/)

// Whatever is young stays, unless it is said that it need not.
const collected = await collect(client.repo.gc({ grace: 0 }))
const gone = collected.map((each) => each.cid.toString())
assert.ok(gone.length >= 4, 'the file that was unpinned is collected: ' + gone)
// A follower may show what is deleted for a moment longer; a list waits until it does not.
await collect(other.refs.local())
await assert.rejects(joined(other.cat(file.cid)), /could not find/)
assert.deepEqual(await joined(other.cat(added[0].cid)), Buffer.from('one'))
assert.equal((await other.dag.get(root)).value.a[1], 'two')
console.log('kubo-rpc-client: version, id, block/*, refs, dag/*, add, cat, ls, pin/*, repo.stat, repo.gc')
