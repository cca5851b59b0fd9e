package dev.ashlar.block.root;

import dev.ashlar.block.Cid;
import dev.ashlar.block.MalformedException;
import java.nio.charset.StandardCharsets;

/**
 * A name for a CID, which can be made to lead elsewhere; what it leads to is kept.
 *
 * @param name 1 to {@link #NAME_BYTES_MAX} bytes of UTF-8 without control characters
 * @param cid where it leads
 * @param changedAt the log index of its last change
 */
public record Reference(String name, Cid cid, long changedAt) {

  /** No name has more bytes in UTF-8. */
  public static final int NAME_BYTES_MAX = 255;

  /**
   * Checks a name.
   *
   * @throws IllegalArgumentException when it is none
   */
  public static String requireName(String name) {
    int bytes = name.getBytes(StandardCharsets.UTF_8).length;
    if (bytes < 1 || bytes > NAME_BYTES_MAX) {
      throw new IllegalArgumentException(
          "the name of a reference has 1 to " + NAME_BYTES_MAX + " bytes, not " + bytes);
    }
    for (int i = 0; i < name.length(); i++) {
      if (Character.isISOControl(name.charAt(i))) {
        throw new IllegalArgumentException("the name of a reference has a control character");
      }
    }
    return name;
  }

  /**
   * The reference that a record is.
   *
   * @throws MalformedException when it is none
   */
  public static Reference of(RootRecord root) {
    byte[] cid = new byte[root.value().remaining()];
    root.value().duplicate().get(cid);
    return new Reference(
        new String(root.key().rest(), StandardCharsets.UTF_8), Cid.decode(cid), root.changedAt());
  }
}
