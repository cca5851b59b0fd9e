// The tests that every blockstore of JavaScript passes, over HTTP: what is written goes to one node,
// what is read may come from another.
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { interfaceBlockstoreTests } from 'interface-blockstore-tests'
import { CID } from 'multiformats/cid'

Object.assign(globalThis, { after, afterEach, before, beforeEach, describe, it })

const [writes, reads] = [process.env.WRITES, process.env.READS ?? process.env.WRITES]

class NotFoundError extends Error {
  name = 'NotFoundError'
}

async function whole (bytes) {
  if (bytes instanceof Uint8Array) return bytes
  const parts = []
  for await (const part of bytes) parts.push(part)
  return Buffer.concat(parts)
}

async function ask (url, options) {
  const response = await fetch(url, options)
  if (response.status === 404) throw new NotFoundError(url)
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`)
  return response
}

class HttpBlockstore {
  async put (cid, bytes, { signal } = {}) {
    signal?.throwIfAborted()
    const body = await whole(bytes)
    await ask(`${writes}/blocks/${cid}`, { method: 'PUT', body, signal })
    return cid
  }

  async * putMany (pairs, options) {
    for await (const { cid, bytes } of pairs) yield await this.put(cid, bytes, options)
  }

  async * get (cid, { signal } = {}) {
    const response = await ask(`${reads}/blocks/${cid}`, { signal })
    yield new Uint8Array(await response.arrayBuffer())
  }

  async * getMany (cids, options) {
    for await (const cid of cids) yield { cid, bytes: this.get(cid, options) }
  }

  async * getAll ({ signal } = {}) {
    let next
    do {
      const page = await ask(`${reads}/blocks?limit=37${next ? `&cursor=${next}` : ''}`, { signal })
      next = undefined
      for (const line of (await page.text()).split('\n').filter(Boolean)) {
        const listed = JSON.parse(line)
        if (listed.next) next = listed.next
        else yield { cid: CID.parse(listed.cid), bytes: this.get(listed.cid, { signal }) }
      }
    } while (next)
  }

  async has (cid, { signal } = {}) {
    const response = await fetch(`${reads}/blocks/${cid}`, { method: 'HEAD', signal })
    return response.ok
  }

  async delete (cid, { signal } = {}) {
    await ask(`${writes}/blocks/${cid}`, { method: 'DELETE', signal })
  }

  async * deleteMany (cids, options) {
    for await (const cid of cids) {
      await this.delete(cid, options)
      yield cid
    }
  }
}

describe('interface-blockstore', () => {
  interfaceBlockstoreTests({
    setup: () => new HttpBlockstore(),
    teardown: async (store) => {
      for await (const { cid } of store.getAll()) await store.delete(cid)
    }
  })
})
