// The components in use, each from its own file, so that the bundle holds no others.
export { ElAutocomplete } from 'element-plus/es/components/autocomplete/index.mjs';
export { ElButton } from 'element-plus/es/components/button/index.mjs';
export { ElDialog } from 'element-plus/es/components/dialog/index.mjs';
export { ElDrawer } from 'element-plus/es/components/drawer/index.mjs';
export { ElDropdown, ElDropdownItem, ElDropdownMenu } from 'element-plus/es/components/dropdown/index.mjs';
export { ElInput } from 'element-plus/es/components/input/index.mjs';
export { ElMessage } from 'element-plus/es/components/message/index.mjs';
export { ElMessageBox } from 'element-plus/es/components/message-box/index.mjs';
export { ElRadioButton, ElRadioGroup } from 'element-plus/es/components/radio/index.mjs';
export { localeContextKey } from 'element-plus/es/hooks/use-locale/index.mjs';
