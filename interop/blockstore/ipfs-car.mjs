// A directory goes through ipfs-car into a CAR, with it into Ashlar, comes back as a CAR of its root
// from another node, and is unpacked by ipfs-car as it was.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const [writes, reads = writes] = process.argv.slice(2)
const work = mkdtempSync(join(tmpdir(), 'ashlar-ipfs-car-'))
const ipfsCar = (...args) => execFileSync('node_modules/.bin/ipfs-car', args, { encoding: 'utf8' }).trim()

try {
  const files = new Map([
    ['a.txt', Buffer.from('hello')],
    ['empty', Buffer.alloc(0)],
    ['sub/large.bin', Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 7))]
  ])
  mkdirSync(join(work, 'in/sub'), { recursive: true })
  for (const [name, bytes] of files) writeFileSync(join(work, 'in', name), bytes)
  ipfsCar('pack', join(work, 'in'), '--no-wrap', '--output', join(work, 'in.car'))
  const root = ipfsCar('roots', join(work, 'in.car'))

  const stored = await fetch(`${writes}/blocks`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.ipld.car' },
    body: readFileSync(join(work, 'in.car'))
  })
  const lines = (await stored.text()).trim().split('\n').map((line) => JSON.parse(line))
  const end = lines.pop()
  assert.deepEqual(end.roots, [root])
  assert.equal(end.refused, 0)
  assert.deepEqual(
    new Set(lines.map(({ cid }) => cid)),
    new Set(ipfsCar('blocks', join(work, 'in.car')).split('\n')))

  const back = await fetch(`${reads}/ipfs/${root}?format=car&consistency=linearizable`)
  writeFileSync(join(work, 'out.car'), Buffer.from(await back.arrayBuffer()))
  assert.equal(ipfsCar('roots', join(work, 'out.car')), root)
  ipfsCar('unpack', join(work, 'out.car'), '--root', root, '--output', join(work, 'out'))
  for (const [name, bytes] of files) {
    assert.ok(readFileSync(join(work, 'out', name)).equals(bytes), name)
  }
  console.log(`ipfs-car packed and unpacked ${files.size} files in ${lines.length} blocks`)
} finally {
  rmSync(work, { recursive: true })
}
