package dev.ashlar.block;

/**
 * What became of a put.
 *
 * @param cid the CID that the block was put under
 * @param size how many bytes it has
 * @param isNew true when the block was not there before, false when it existed
 */
public record PutResult(Cid cid, int size, boolean isNew) {}
