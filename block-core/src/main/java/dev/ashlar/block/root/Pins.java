package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** What is to be kept: pins as records of a {@link RootStore}. Blocks its callers. */
public final class Pins {

  private static final int TRIES_MAX = 16;
  private static final RootKey ALL = RootKey.of(RootKey.Kind.PIN, new byte[0]);

  private final RootStore roots;

  /** The pins among the records. */
  public Pins(RootStore roots) {
    this.roots = roots;
  }

  /** The pin of a CID; empty where it has none of its own. */
  public Optional<Pin> get(Cid cid) {
    return roots.get(RootKey.pin(cid)).map(Pin::of);
  }

  /**
   * Pins, in the order of their CIDs' bytes.
   *
   * @param after the last CID of the page before
   */
  public List<Pin> list(Optional<Cid> after, int limit) {
    return roots.list(ALL, after.map(RootKey::pin), limit).stream().map(Pin::of).toList();
  }

  /**
   * A pin that was added.
   *
   * @param isNew whether there was another one, or none
   * @param index the log index of the change
   * @param before what was there
   */
  public record Added(Pin pin, boolean isNew, long index, Optional<Pin> before) {}

  /**
   * Pins a CID. What it leads to need not be there: whoever wants to know walks it afterwards, when
   * nothing of it can be collected any more. A pin that is there already is written again, so that
   * nobody else {@link #undo takes it back}.
   *
   * @throws PinException when it is pinned recursively and is to be pinned directly
   */
  public Added add(Pin pin) {
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<RootRecord> before = roots.get(pin.key());
      Optional<Pin> present = before.map(Pin::of);
      if (pin.mode() == Pin.Mode.DIRECT
          && present.filter(p -> p.mode() == Pin.Mode.RECURSIVE).isPresent()) {
        throw new PinException(pin.cid() + " already pinned recursively");
      }
      RootChange change = RootChange.set(pin.key(), changedAt(before), pin.encode());
      OptionalLong index = roots.change(new RootChanges(List.of(change)));
      if (index.isPresent()) {
        boolean isNew =
            present.filter(p -> p.mode() == pin.mode() && p.name().equals(pin.name())).isEmpty();
        return new Added(pin, isNew, index.getAsLong(), present);
      }
    }
    throw contended();
  }

  /** Brings back what was before a pin was added, unless somebody has changed it since. */
  public void undo(Added added) {
    RootKey key = added.pin().key();
    RootChange change =
        added
            .before()
            .map(before -> RootChange.set(key, added.index(), before.encode()))
            .orElseGet(() -> RootChange.remove(key, added.index()));
    var unused = roots.change(new RootChanges(List.of(change)));
  }

  /**
   * Removes a pin.
   *
   * @return the pin that was removed; empty where there was none
   */
  public Optional<Pin> remove(Cid cid) {
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<RootRecord> before = roots.get(RootKey.pin(cid));
      if (before.isEmpty()) {
        return Optional.empty();
      }
      if (change(RootChange.remove(RootKey.pin(cid), changedAt(before)))) {
        return before.map(Pin::of);
      }
    }
    throw contended();
  }

  /**
   * Pins one CID recursively in the place of another, at once.
   *
   * @param unpins whether the other one loses its pin
   * @throws PinException when the other one is not pinned recursively
   */
  public void update(Cid from, Cid to, boolean unpins) {
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<RootRecord> before = roots.get(RootKey.pin(from));
      Pin pin =
          before
              .map(Pin::of)
              .filter(p -> p.mode() == Pin.Mode.RECURSIVE)
              .orElseThrow(() -> new PinException("'from' cid was not recursively pinned already"));
      Pin next = new Pin(to, Pin.Mode.RECURSIVE, pin.name());
      if (next.key().equals(pin.key())) {
        return;
      }
      List<RootChange> changes = new ArrayList<>();
      changes.add(RootChange.set(next.key(), RootChange.ANY, next.encode()));
      if (unpins) {
        changes.add(RootChange.remove(pin.key(), changedAt(before)));
      }
      if (roots.change(new RootChanges(changes)).isPresent()) {
        return;
      }
    }
    throw contended();
  }

  private boolean change(RootChange change) {
    return roots.change(new RootChanges(List.of(change))).isPresent();
  }

  static long changedAt(Optional<RootRecord> root) {
    return root.map(RootRecord::changedAt).orElse(RootChange.ABSENT);
  }

  static StoreUnavailableException contended() {
    return new StoreUnavailableException(
        "others change the same record all the time: try again; not done");
  }
}
