# Older processors to emulate, for ./test and tests/nightly.sh: settings of the JIT, libtorch and oneDNN. ONNX Runtime has no such setting.
# .NET 10: EnableAVX512=0 leaves AVX2; EnableAVX2=0 also disables AVX-512, FMA and 256-bit vectors.
processors=()
[ "$(uname -m)" = x86_64 ] && processors=(
  "AVX2 but no AVX-512: DOTNET_EnableAVX512=0 ATEN_CPU_CAPABILITY=avx2 ONEDNN_MAX_CPU_ISA=AVX2"
  "neither AVX2 nor AVX-512: DOTNET_EnableAVX2=0 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41"
)

# The test classes of each project that run kernels.
declare -A kernels=(
  [UniFace.Tests]="PairScoresTests DatasetSurveyTests"
  [UniFace.Gallery.Tests]="DotKernelTests ExactIndexTests"
  [UniFace.Training.Tests]="GradientEngineTests AugmenterTests GradientTests IdentityTests FinitenessTests HeadStepTests TilePassTests PairKernelTests
    OptimizerTests ClippingAndAverageTests TrainingStepTests"
  [UniFace.Cli.Tests]="LossGoldenTests"
)
