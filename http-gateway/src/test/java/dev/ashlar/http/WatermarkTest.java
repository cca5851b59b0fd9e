package dev.ashlar.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Block;
import dev.ashlar.block.TestBlocks;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class WatermarkTest extends GatewayFixture {

  private static final Duration PAUSE = Duration.ofMinutes(6);
  private static final long LATER = PAUSE.toNanos();

  @Test
  void itIsReachedAboveIt() {
    Watermark watermark = new Watermark(1000, PAUSE);

    assertThat(watermark.isReached(1000, 0)).isFalse();
    assertThat(watermark.isReached(1001, 0)).isTrue();
    assertThat(new Watermark(0, PAUSE).isReached(Long.MAX_VALUE, 0)).isFalse();
  }

  @Test
  void afterACollectionItTakesMoreOrThatWhatWasYoungIsOld() {
    Watermark watermark = new Watermark(1000, PAUSE);

    watermark.collected(1200, 5);

    assertThat(watermark.isReached(1250, 6)).isFalse();
    assertThat(watermark.isReached(1251, 6)).isTrue();
    assertThat(watermark.isReached(1001, 5 + LATER)).isTrue();
    watermark.collected(10, 5 + LATER);
    assertThat(watermark.isReached(1049, 6 + LATER)).isFalse();
    assertThat(watermark.isReached(1051, 6 + LATER)).isTrue();
  }

  @Test
  @Timeout(60)
  void aStoreAboveItIsCollectedByItself() {
    Block pinned = TestBlocks.numbered(1, 1000);
    List<Block> garbage = TestBlocks.many(2, 20, 1000);
    store.put(pinned);
    store.putAll(garbage);
    assertThat(call("PUT", "/pins/" + pinned.cid(), new byte[0]).statusCode()).isEqualTo(201);
    GatewayOptions options =
        GatewayOptions.DEFAULT.withTasks(
            new GatewayOptions.Tasks(1, 1, 1 << 20, Duration.ZERO, 20_999));
    Workers workers = new Workers(vertx, store, options.limits());
    Jobs jobs = new Jobs(vertx, workers, options);

    jobs.collections().collectIfDue();
    while (store.statistics().blocks() > 1) {
      Thread.onSpinWait();
    }

    assertThat(store.has(pinned.cid())).isTrue();
    await(jobs.close());
    await(workers.close());
  }
}
