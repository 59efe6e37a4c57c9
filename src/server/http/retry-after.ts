/** Value of the Retry-After header. A full disk or a busy server rarely recovers sooner, and devices usually check less often. */
export const retryAfterSeconds = 60;
