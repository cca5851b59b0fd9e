/** What blocks hold, read under the codec of their CID: links, and values within them (IPLD). */
@org.jspecify.annotations.NullMarked
package dev.ashlar.block.ipld;
