package dev.ashlar.block.engine;

/**
 * Limits of the engine.
 *
 * @param tableEffectsMax at how many effects a table is frozen and folded into the index; more
 *     makes writes cheaper and the start after a crash longer
 * @param foldRowsPerBatch how many rows of a fold one transaction takes at least; a batch that
 *     brings many effects takes twice as many as it brings, so that folding keeps up
 * @param compactEntriesPerBatch how many log entries one transaction drops at the most
 */
public record EngineOptions(int tableEffectsMax, int foldRowsPerBatch, int compactEntriesPerBatch) {

  /** 64 Ki effects, slices of about 10 ms. */
  public static final EngineOptions DEFAULT = new EngineOptions(64 << 10, 1024, 4096);

  /** Checks the ranges. */
  public EngineOptions {
    if (tableEffectsMax < 1 || foldRowsPerBatch < 1 || compactEntriesPerBatch < 1) {
      throw new IllegalArgumentException(
          "engine options are at least 1: "
              + tableEffectsMax
              + ", "
              + foldRowsPerBatch
              + ", "
              + compactEntriesPerBatch);
    }
  }
}
