package dev.ashlar.block;

/** More bytes than one block may have. Larger content is stored as a DAG of blocks. */
public final class BlockTooLargeException extends BlockException {

  private static final long serialVersionUID = 1L;

  private final long blockBytesMax;

  /**
   * @param bytes how many bytes there were, or at least were
   * @param blockBytesMax how many are allowed
   */
  public BlockTooLargeException(long bytes, long blockBytesMax) {
    super(
        "a block of "
            + bytes
            + " bytes or more is larger than the limit of "
            + blockBytesMax
            + ": store larger content as a DAG, for example as a CAR file");
    this.blockBytesMax = blockBytesMax;
  }

  /** The limit that was exceeded, in bytes. */
  public long blockBytesMax() {
    return blockBytesMax;
  }
}
