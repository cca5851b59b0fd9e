package dev.ashlar.http;

import dev.ashlar.block.BlockStore;
import dev.ashlar.block.MalformedException;
import dev.ashlar.block.ReadConsistency;
import dev.ashlar.block.root.Marking;
import dev.ashlar.block.root.Pin;
import dev.ashlar.block.root.Pins;
import dev.ashlar.block.root.RootedBlockStore;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * A pin, and what was found when it was walked.
 *
 * @param added the pin; empty where it did not stay
 * @param marking what it keeps
 */
record PinWalk(Optional<Pins.Added> added, Marking marking) {

  /**
   * Pins, and looks at what the pin leads to when nothing of it can be collected any more.
   *
   * @param goesOn asked with every block
   * @param stays whether the pin is to stay, by what was found
   * @throws MalformedException when what it leads to can never be known; there is no pin then
   */
  static PinWalk add(
      RootedBlockStore store,
      Pin pin,
      Marking.Limits limits,
      BooleanSupplier goesOn,
      Predicate<Marking> stays) {
    BlockStore here = store.reading(ReadConsistency.LOCAL);
    AtomicReference<Marking> last = new AtomicReference<>();
    Optional<Pins.Added> added =
        new Pins(store.roots())
            .add(
                pin,
                () -> {
                  Marking marking = new Marking(here::get, here::has, limits, goesOn);
                  last.set(marking);
                  marking.mark(pin);
                  return stays.test(marking);
                });
    return new PinWalk(added, Objects.requireNonNull(last.get()));
  }
}
