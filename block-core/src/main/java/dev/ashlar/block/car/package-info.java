/**
 * CAR files, read and written as streams: {@link dev.ashlar.block.car.CarReader} takes CARv1 and
 * CARv2, {@link dev.ashlar.block.car.CarWriter} makes CARv1. Memory is bounded by one block.
 */
@NullMarked
package dev.ashlar.block.car;

import org.jspecify.annotations.NullMarked;
