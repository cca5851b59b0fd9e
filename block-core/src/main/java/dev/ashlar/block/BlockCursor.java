package dev.ashlar.block;

import java.util.Optional;

/**
 * A place in a listing: after a multihash, or at the start. It stays good whatever is put and
 * deleted in between, on any store. Its text is safe in a URL.
 *
 * @param after the multihash after which the listing goes on, empty at the start
 */
public record BlockCursor(Optional<Multihash> after) {

  /** Before the first block. */
  public static final BlockCursor START = new BlockCursor(Optional.empty());

  /** After this multihash. */
  public static BlockCursor after(Multihash multihash) {
    return new BlockCursor(Optional.of(multihash));
  }

  /**
   * The cursor that {@link #toString()} wrote; empty text is the start.
   *
   * @throws MalformedException when it is none
   */
  public static BlockCursor parse(String text) {
    return text.isEmpty() ? START : after(Multihash.decode(Multibase.BASE64_URL.decodeBare(text)));
  }

  @Override
  public String toString() {
    return after.map(m -> Multibase.BASE64_URL.encodeBare(m.toBytes())).orElse("");
  }
}
