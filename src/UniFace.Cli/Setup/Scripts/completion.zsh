#compdef uniface
_uniface() {
  local -a suggestions
  suggestions=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
  if [[ $PREFIX != -* ]]; then suggestions=("${(@)suggestions:#-*}"); fi
  suggestions=("${(@M)suggestions:#${PREFIX}?*}")
  if (( $#suggestions )); then compadd -- "${suggestions[@]}"; else _files; fi
}
compdef _uniface uniface ./uniface
