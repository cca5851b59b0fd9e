package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** Names for CIDs: references as records of a {@link RootStore}. Blocks its callers. */
public final class References {

  private static final int TRIES_MAX = 16;

  private final RootStore roots;

  /** The references among the records. */
  public References(RootStore roots) {
    this.roots = roots;
  }

  /** What a reference must be for it to be changed. */
  public sealed interface Expected {
    /** Whatever it is. */
    record Any() implements Expected {}

    /** Not there. */
    record Absent() implements Expected {}

    /** That it leads to a CID. */
    record LeadsTo(Cid cid) implements Expected {}
  }

  /**
   * The reference of a name; empty where there is none.
   *
   * @throws IllegalArgumentException when it is no name
   */
  public Optional<Reference> get(String name) {
    return roots.get(RootKey.reference(Reference.requireName(name))).map(Reference::of);
  }

  /**
   * References in the order of the bytes of their names.
   *
   * @param prefix what the names begin with
   * @param after the last name of the page before
   */
  public List<Reference> list(String prefix, Optional<String> after, int limit) {
    RootKey from = RootKey.of(RootKey.Kind.REFERENCE, prefix.getBytes(StandardCharsets.UTF_8));
    return roots.list(from, after.map(RootKey::reference), limit).stream()
        .map(Reference::of)
        .toList();
  }

  /** What came of a removal. */
  public enum Removal {
    /** It was there, and is not any more. */
    REMOVED,
    /** There was none. */
    ABSENT,
    /** It is not as expected, and stays as it is. */
    DIFFERENT
  }

  /**
   * Lets a name lead to a CID, if it is as expected.
   *
   * @return whether it does now
   */
  public boolean set(String name, Expected expected, Cid cid) {
    RootKey key = RootKey.reference(Reference.requireName(name));
    for (int i = 0; i < TRIES_MAX; i++) {
      long version = RootChange.ANY;
      if (expected instanceof Expected.Absent) {
        version = RootChange.ABSENT;
      } else if (expected instanceof Expected.LeadsTo to) {
        Optional<RootRecord> before = roots.get(key);
        if (!leadsTo(before, to.cid())) {
          return false;
        }
        version = Pins.changedAt(before);
      }
      boolean done = change(RootChange.set(key, version, cid.toBytes()));
      if (done || !(expected instanceof Expected.LeadsTo)) {
        return done;
      }
    }
    throw Pins.contended();
  }

  /** Removes a reference, if it is as expected. */
  public Removal remove(String name, Expected expected) {
    RootKey key = RootKey.reference(Reference.requireName(name));
    for (int i = 0; i < TRIES_MAX; i++) {
      Optional<RootRecord> before = roots.get(key);
      if (expected instanceof Expected.LeadsTo to && !leadsTo(before, to.cid())) {
        return Removal.DIFFERENT;
      }
      if (before.isEmpty()) {
        return Removal.ABSENT;
      }
      if (expected instanceof Expected.Absent) {
        return Removal.DIFFERENT;
      }
      if (change(RootChange.remove(key, Pins.changedAt(before)))) {
        return Removal.REMOVED;
      }
    }
    throw Pins.contended();
  }

  private static boolean leadsTo(Optional<RootRecord> record, Cid cid) {
    return record.map(Reference::of).filter(r -> r.cid().equals(cid)).isPresent();
  }

  private boolean change(RootChange change) {
    return roots.change(new RootChanges(List.of(change))).isPresent();
  }
}
