// Rectangles of a pane without data.  a_rect: corners in pixels; a_kind: 1 =
// failed, 0 = not here yet.

layout(location = 0) in vec4 a_rect;
layout(location = 1) in float a_kind;

uniform vec2 u_pane;

out vec2 v_px;
flat out float v_kind;

void main()
{
    vec2 corner = cx_corner(gl_VertexID);
    v_px = mix(a_rect.xy, a_rect.zw, corner);
    v_kind = a_kind;
    gl_Position = cx_pane_to_clip(v_px, u_pane);
}
