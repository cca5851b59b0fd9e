package dev.ashlar.block;

/** Text or bytes that are not what they should be: a CID, multihash, varint, multibase, cursor. */
public final class MalformedException extends BlockException {

  private static final long serialVersionUID = 1L;

  private final long offset;

  /**
   * Of something that is wrong as a whole.
   *
   * @param what what is wrong, as a sentence
   */
  public MalformedException(String what) {
    super(what);
    this.offset = 0;
  }

  /**
   * @param what what is wrong, as a sentence without its place
   * @param offset where in the input, in bytes or characters from its start
   */
  public MalformedException(String what, long offset) {
    super(what + " (at offset " + offset + ")");
    this.offset = offset;
  }

  /** Where the input is wrong, in bytes or characters from its start; 0 if it is as a whole. */
  public long offset() {
    return offset;
  }
}
