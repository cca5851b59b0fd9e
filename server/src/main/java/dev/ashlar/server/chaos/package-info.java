/**
 * {@code ashlar chaos}: a cluster of real processes under faults, and whether what its clients saw
 * was that of one dependable store.
 */
@NullMarked
package dev.ashlar.server.chaos;

import org.jspecify.annotations.NullMarked;
