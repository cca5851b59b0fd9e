package dev.ashlar.block.root;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ashlar.block.Cid;
import dev.ashlar.block.Multicodec;
import dev.ashlar.block.Multihash;
import dev.ashlar.block.TestBlocks;
import org.junit.jupiter.api.Test;

class MarkSetTest {

  private static final long DBL_SHA2_256 = 0x56;

  @Test
  void theSameDigestOfAnotherFunctionIsAnotherBlock() {
    Multihash multihash = TestBlocks.numbered(1, 10).cid().multihash();
    Multihash same = Multihash.of(DBL_SHA2_256, multihash.digest());
    MarkSet marks = new MarkSet();

    assertThat(marks.add(Cid.v1(Multicodec.DAG_CBOR, multihash))).isTrue();

    assertThat(marks.contains(same)).isFalse();
    assertThat(marks.add(Cid.v1(Multicodec.DAG_CBOR, same))).isTrue();
    assertThat(marks.contains(multihash)).isTrue();
    assertThat(marks.size()).isEqualTo(2);
  }
}
