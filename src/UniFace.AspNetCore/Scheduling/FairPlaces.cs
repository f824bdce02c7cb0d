using System.Threading.RateLimiting;

namespace UniFace.AspNetCore.Scheduling;

/// <summary>
/// Places for requests under way, each caller's limiter counting its own: a caller alone has three quarters at most, so the next one finds a place at once.
/// </summary>
/// <param name="places">How many.</param>
internal sealed class FairPlaces(int places)
{
    private readonly Lock gate = new();
    private readonly int places = places;
    private int taken;

    /// <summary>The limiter of a caller who has no place yet.</summary>
    public RateLimiter NewCaller() => new OfCaller(this);

    private sealed class OfCaller(FairPlaces all) : RateLimiter
    {
        private int own;

        public override TimeSpan? IdleDuration => own == 0 ? TimeSpan.MaxValue : null;

        public override RateLimiterStatistics? GetStatistics() => null;

        protected override RateLimitLease AttemptAcquireCore(int permitCount)
        {
            lock (all.gate)
            {
                bool acquired = FairQueue<int>.IsFair(own, all.taken, all.places);
                if (acquired)
                {
                    own++;
                    all.taken++;
                }

                return new Lease(this, acquired);
            }
        }

        protected override ValueTask<RateLimitLease> AcquireAsyncCore(int permitCount, CancellationToken cancellationToken) =>
            new(AttemptAcquireCore(permitCount));

        private void Release()
        {
            lock (all.gate)
            {
                own--;
                all.taken--;
            }
        }

        private sealed class Lease(OfCaller caller, bool acquired) : RateLimitLease
        {
            private int held = acquired ? 1 : 0;

            public override bool IsAcquired => acquired;

            public override IEnumerable<string> MetadataNames => [];

            public override bool TryGetMetadata(string metadataName, out object? metadata)
            {
                metadata = null;
                return false;
            }

            protected override void Dispose(bool disposing)
            {
                if (Interlocked.Exchange(ref held, 0) == 1)
                {
                    caller.Release();
                }

                base.Dispose(disposing);
            }
        }
    }
}
