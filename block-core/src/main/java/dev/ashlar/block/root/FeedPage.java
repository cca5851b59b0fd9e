package dev.ashlar.block.root;

import java.util.List;

/**
 * A part of the feed.
 *
 * @param effects in the order of their index
 * @param upTo all effects up to this log index have been told; the next page begins after it
 */
public record FeedPage(List<Effect> effects, long upTo) {

  /** Copies the list. */
  public FeedPage {
    effects = List.copyOf(effects);
  }
}
