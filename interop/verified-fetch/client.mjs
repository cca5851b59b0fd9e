// What a page does that shows content by CID: @helia/verified-fetch, with this server as its only
// trustless gateway and its only router. It verifies every block itself.
import { createVerifiedFetch } from '@helia/verified-fetch'
import assert from 'node:assert'
import { readFileSync } from 'node:fs'

const [url, fixtures] = process.argv.slice(2)
const dags = JSON.parse(readFileSync(fixtures))
const text = async (fetch, resource) => {
  const response = await fetch(resource, { signal: AbortSignal.timeout(30_000) })
  assert.equal(response.status, 200, `${resource}: ${response.status} ${response.statusText}`)
  return response.text()
}

for (const options of [
  // Without a router it never comes to ask a gateway.
  { gateways: [url], routers: [url] },
  { gateways: [], routers: [url] }
]) {
  const fetch = await createVerifiedFetch({
    ...options,
    allowLocal: true,
    allowInsecure: true
  })
  assert.equal(await text(fetch, `ipfs://${dags.dir.cid}/hello.txt`), 'hello application/vnd.ipld.car\n')
  assert.equal(await text(fetch, `ipfs://${dags.hamt.cid}/399.txt`), '399\n')
  assert.equal((await text(fetch, `ipfs://${dags.file.cid}`)).length > 0, true)
  console.log('fetched by', options.gateways.length > 0 ? 'gateway' : 'router')
  await fetch.stop()
}
