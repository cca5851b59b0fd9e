// What interface-blockstore-tests takes from aegir, which would bring a whole build system: chai with
// promises, and with assertions that are called.
import { Assertion, expect, use } from 'chai'
import asPromised from 'chai-as-promised'

const called = { ok: Boolean, true: (value) => value === true, false: (value) => value === false }
for (const [name, holds] of Object.entries(called)) {
  delete Assertion.prototype[name]
  Assertion.addMethod(name, function () {
    this.assert(holds(this._obj), `expected #{this} to be ${name}`, `expected #{this} not to be ${name}`)
  })
}
use(asPromised)
export { expect }
