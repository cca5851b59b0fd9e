package dev.ashlar.block.history;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class BlockHistoryTest {

  private final BlockHistory history = new BlockHistory();

  @Test
  void aReadAfterAnAcknowledgedPutMustFindIt() {
    BlockHistory.Operation put = history.begin(0, BlockHistory.Kind.PUT);
    history.end(put, BlockHistory.End.CHANGED);
    BlockHistory.Operation read = history.begin(0, BlockHistory.Kind.READ);
    history.end(read, BlockHistory.End.ABSENT);

    assertThat(history.contradiction()).isPresent();
  }

  @Test
  void aReadBesideAPutMayFindItOrNot() {
    for (BlockHistory.End seen :
        new BlockHistory.End[] {BlockHistory.End.PRESENT, BlockHistory.End.ABSENT}) {
      BlockHistory each = new BlockHistory();
      BlockHistory.Operation put = each.begin(0, BlockHistory.Kind.PUT);
      BlockHistory.Operation read = each.begin(0, BlockHistory.Kind.READ);
      each.end(read, seen);
      each.end(put, BlockHistory.End.CHANGED);

      assertThat(each.contradiction()).isEmpty();
    }
  }

  @Test
  void readsDoNotGoBackInTime() {
    BlockHistory.Operation put = history.begin(0, BlockHistory.Kind.PUT);
    BlockHistory.Operation first = history.begin(0, BlockHistory.Kind.READ);
    history.end(first, BlockHistory.End.PRESENT);
    BlockHistory.Operation second = history.begin(0, BlockHistory.Kind.READ);
    history.end(second, BlockHistory.End.ABSENT);
    history.end(put, BlockHistory.End.CHANGED);

    assertThat(history.contradiction()).isPresent();
  }

  @Test
  void aPutWithAnUnknownEndMayTakeEffectAtAnyLaterTimeOrNever() {
    history.begin(0, BlockHistory.Kind.PUT);
    BlockHistory.Operation first = history.begin(0, BlockHistory.Kind.READ);
    history.end(first, BlockHistory.End.ABSENT);
    BlockHistory.Operation second = history.begin(0, BlockHistory.Kind.READ);
    history.end(second, BlockHistory.End.PRESENT);

    assertThat(history.contradiction()).isEmpty();

    BlockHistory.Operation third = history.begin(0, BlockHistory.Kind.READ);
    history.end(third, BlockHistory.End.ABSENT);

    assertThat(history.contradiction()).isPresent();
  }

  @Test
  void whatWasNotDoneHasNoEffect() {
    BlockHistory.Operation put = history.begin(0, BlockHistory.Kind.PUT);
    history.end(put, BlockHistory.End.NOT_DONE);
    BlockHistory.Operation read = history.begin(0, BlockHistory.Kind.READ);
    history.end(read, BlockHistory.End.PRESENT);

    assertThat(history.contradiction()).isPresent();
  }

  @Test
  void onlyOneOfTwoPutsIsNew() {
    BlockHistory.Operation first = history.begin(0, BlockHistory.Kind.PUT);
    BlockHistory.Operation second = history.begin(0, BlockHistory.Kind.PUT);
    history.end(first, BlockHistory.End.CHANGED);
    history.end(second, BlockHistory.End.CHANGED);

    assertThat(history.contradiction()).isPresent();
  }

  @Test
  void blocksAreIndependent() {
    BlockHistory.Operation put = history.begin(0, BlockHistory.Kind.PUT);
    history.end(put, BlockHistory.End.CHANGED);
    BlockHistory.Operation read = history.begin(1, BlockHistory.Kind.READ);
    history.end(read, BlockHistory.End.ABSENT);

    assertThat(history.contradiction()).isEmpty();
  }
}
