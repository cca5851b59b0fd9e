package dev.ashlar.block.root;

import dev.ashlar.block.MalformedException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Changes that take effect together or not at all, and their binary form (docs/format.md, "Roots").
 *
 * @param changes each of another key
 */
public record RootChanges(List<RootChange> changes) {

  /** How many there can be. */
  public static final int CHANGES_MAX = 256;

  private static final int FIXED_BYTES = 2 + 8 + 1;

  /** Copies the list, and checks that the keys differ. */
  public RootChanges {
    changes = List.copyOf(changes);
    if (changes.isEmpty() || changes.size() > CHANGES_MAX) {
      throw new IllegalArgumentException(
          changes.size() + " changes: there can be 1 to " + CHANGES_MAX);
    }
    Set<RootKey> keys = new HashSet<>();
    for (RootChange change : changes) {
      if (!keys.add(change.key())) {
        throw new IllegalArgumentException(change.key() + " is changed twice");
      }
    }
  }

  /** How many bytes the binary form has. */
  public int bytes() {
    int bytes = 2;
    for (RootChange change : changes) {
      bytes +=
          FIXED_BYTES + change.key().size() + change.value().map(v -> 2 + v.remaining()).orElse(0);
    }
    return bytes;
  }

  /** The bytes, from position 0. */
  public ByteBuffer encode() {
    ByteBuffer out = ByteBuffer.allocate(bytes()).putShort((short) changes.size());
    for (RootChange change : changes) {
      out.putShort((short) change.key().size())
          .put(change.key().toBytes())
          .putLong(change.expected())
          .put((byte) (change.value().isPresent() ? 1 : 0));
      change
          .value()
          .ifPresent(value -> out.putShort((short) value.remaining()).put(value.duplicate()));
    }
    return out.flip();
  }

  /**
   * The changes that these bytes are, all of them.
   *
   * @throws MalformedException when they are none
   */
  public static RootChanges decode(ByteBuffer bytes) {
    ByteBuffer in = bytes.slice();
    try {
      int count = in.getShort() & 0xffff;
      List<RootChange> changes = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        byte[] key = new byte[Math.min(in.getShort() & 0xffff, in.remaining())];
        in.get(key);
        long expected = in.getLong();
        Optional<ByteBuffer> value = Optional.empty();
        if (in.get() != 0) {
          byte[] copy = new byte[Math.min(in.getShort() & 0xffff, in.remaining())];
          in.get(copy);
          value = Optional.of(ByteBuffer.wrap(copy));
        }
        changes.add(new RootChange(RootKey.decode(key), expected, value));
      }
      if (in.hasRemaining()) {
        throw new MalformedException("bytes follow changes of roots", in.position());
      }
      return new RootChanges(changes);
    } catch (BufferUnderflowException e) {
      throw new MalformedException("changes of roots are cut off", in.position());
    } catch (IllegalArgumentException e) {
      throw new MalformedException("no changes of roots: " + e.getMessage(), in.position());
    }
  }
}
