package dev.ashlar.block;

/** The bytes do not hash to the CID that was given for them. Nothing was stored. */
public final class HashMismatchException extends BlockException {

  private static final long serialVersionUID = 1L;

  private final transient Cid expected;
  private final transient Multihash actual;

  /**
   * @param expected the CID that was given
   * @param actual what the bytes hash to, under the same function
   */
  public HashMismatchException(Cid expected, Multihash actual) {
    super(
        "the bytes are not those of "
            + expected
            + ": they hash to "
            + Cid.v1(expected.codec(), actual));
    this.expected = expected;
    this.actual = actual;
  }

  /** The CID that was given. */
  public Cid expected() {
    return expected;
  }

  /** What the bytes hash to. */
  public Multihash actual() {
    return actual;
  }
}
