package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.StoreUnavailableException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;

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
   * @param index the log index of the pin's last change
   */
  public record Added(Pin pin, boolean isNew, long index) {}

  /**
   * A pin that stays only if what it leads to is as somebody wants it.
   *
   * @param before what was there
   * @param isWritten whether it was written for this trial, or by somebody else before
   */
  private record Trial(Added added, Optional<Pin> before, boolean isWritten) {}

  /**
   * Pins a CID. What it leads to need not be there.
   *
   * @throws PinException when it is pinned recursively and is to be pinned directly
   */
  public Added add(Pin pin) {
    return add(pin, () -> true).orElseThrow();
  }

  /**
   * Pins a CID and, when nothing of what it leads to can be collected any more, asks whether the
   * pin is to stay. It may be asked again, when somebody else has changed the pin meanwhile.
   *
   * @param stays looks at what is pinned, in this replica's state; the pin is taken back when it
   *     says no, or throws
   * @return the pin; empty where it did not stay
   * @throws PinException when it is pinned recursively and is to be pinned directly
   */
  public Optional<Added> add(Pin pin, BooleanSupplier stays) {
    for (int i = 0; i < TRIES_MAX; i++) {
      Trial trial = begin(pin);
      // All that was collected before the pin is gone here too by then.
      roots.appliedIndex();
      boolean isKept = false;
      try {
        isKept = stays.getAsBoolean();
      } finally {
        if (!isKept) {
          undo(trial);
        }
      }
      if (!isKept) {
        return Optional.empty();
      }
      Optional<Added> kept = keep(trial);
      if (kept.isPresent()) {
        return kept;
      }
    }
    throw contended();
  }

  /** A pin that is there already stays as it is for now: somebody else may take it back still. */
  private Trial begin(Pin pin) {
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<RootRecord> before = roots.get(pin.key());
      Optional<Pin> present = before.map(Pin::of);
      if (pin.mode() == Pin.Mode.DIRECT
          && present.filter(p -> p.mode() == Pin.Mode.RECURSIVE).isPresent()) {
        throw new PinException(pin.cid() + " already pinned recursively");
      }
      if (present.filter(p -> p.mode() == pin.mode()).isPresent()) {
        boolean isNew = !present.get().name().equals(pin.name());
        return new Trial(new Added(pin, isNew, changedAt(before)), present, false);
      }
      OptionalLong index = change(set(pin, changedAt(before)));
      if (index.isPresent()) {
        return new Trial(new Added(pin, true, index.getAsLong()), present, true);
      }
    }
    throw contended();
  }

  /**
   * One that was there is written again, so that nobody else takes it back; empty if it is gone.
   */
  private Optional<Added> keep(Trial trial) {
    if (trial.isWritten()) {
      return Optional.of(trial.added());
    }
    Added added = trial.added();
    OptionalLong index = change(set(added.pin(), added.index()));
    return index.isPresent()
        ? Optional.of(new Added(added.pin(), added.isNew(), index.getAsLong()))
        : Optional.empty();
  }

  /** Brings back what was before, unless somebody has changed it since. */
  private void undo(Trial trial) {
    if (trial.isWritten()) {
      Added added = trial.added();
      var unused =
          change(
              trial
                  .before()
                  .map(before -> set(before, added.index()))
                  .orElseGet(() -> RootChange.remove(added.pin().key(), added.index())));
    }
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
      if (change(RootChange.remove(RootKey.pin(cid), changedAt(before))).isPresent()) {
        return before.map(Pin::of);
      }
    }
    throw contended();
  }

  /**
   * Lets a pin that has just been added stand in the place of another recursive one, at once.
   *
   * @param unpins whether the other one loses its pin
   * @return false when what was added is not there any more as it was: it has to be added again
   * @throws PinException when the other one is not pinned recursively
   */
  public boolean update(Cid from, Added to, boolean unpins) {
    RootKey key = to.pin().key();
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<RootRecord> before = roots.get(RootKey.pin(from));
      Pin pin =
          before
              .map(Pin::of)
              .filter(p -> p.mode() == Pin.Mode.RECURSIVE)
              .orElseThrow(() -> new PinException("'from' cid was not recursively pinned already"));
      if (key.equals(pin.key())) {
        return true;
      }
      List<RootChange> changes = new ArrayList<>();
      changes.add(set(to.pin(), to.index()));
      if (unpins) {
        changes.add(RootChange.remove(pin.key(), changedAt(before)));
      }
      if (roots.change(new RootChanges(changes)).isPresent()) {
        return true;
      }
      if (changedAt(roots.get(key)) != to.index()) {
        return false;
      }
    }
    throw contended();
  }

  private static RootChange set(Pin pin, long expected) {
    return RootChange.set(pin.key(), expected, pin.encode());
  }

  private OptionalLong change(RootChange change) {
    return roots.change(new RootChanges(List.of(change)));
  }

  static long changedAt(Optional<RootRecord> root) {
    return root.map(RootRecord::changedAt).orElse(RootChange.ABSENT);
  }

  static StoreUnavailableException contended() {
    return new StoreUnavailableException(
        "others change the same record all the time: try again; not done");
  }
}
