package dev.ashlar.block;

/** A stored block whose bytes no longer match their checksum. It is never served. */
public final class BlockDamagedException extends BlockException {

  private static final long serialVersionUID = 1L;

  private final transient Cid cid;

  /** Names the block that is damaged. */
  public BlockDamagedException(Cid cid, String what) {
    super(
        "block "
            + cid
            + " is damaged on disk: "
            + what
            + "; put the same bytes again to repair it, or delete it");
    this.cid = cid;
  }

  /** The block that is damaged. */
  public Cid cid() {
    return cid;
  }
}
